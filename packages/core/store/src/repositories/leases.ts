import { sql } from "kysely";
import type { Engine } from "../engine.ts";
import type { LeaseRepository } from "../store.ts";

/**
 * Who does what must be done by one replica at a time. The times are the database's own, so that replicas whose clocks
 * differ agree; a holder that dies loses its lease when its time is over.
 */
export function leaseRepository({ kind, write }: Engine): LeaseRepository {
  const now =
    kind === "sqlite"
      ? sql<number>`cast(unixepoch('subsec') * 1000 as integer)`
      : sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
  return {
    async take(name, holder, milliseconds) {
      const { rows } = await sql<{ holder: string }>`
        insert into leases (name, holder, until) values (${name}, ${holder}, ${now} + ${sql.lit(Math.round(milliseconds))})
        on conflict (name) do update set holder = excluded.holder, until = excluded.until
          where leases.holder = excluded.holder or leases.until < ${now}
        returning holder`.execute(write);
      return rows.length > 0;
    },
    async release(name, holder) {
      let query = write.deleteFrom("leases").where("name", "=", name);
      if (holder !== undefined) query = query.where("holder", "=", holder);
      await query.execute();
    },
    async list(prefix) {
      return write
        .selectFrom("leases")
        .select(["name", "holder", sql<number>`until - ${now}`.as("left")])
        .where(sql<string>`substr(name, 1, ${sql.lit(prefix.length)})`, "=", prefix)
        .orderBy("name")
        .execute();
    },
  };
}
