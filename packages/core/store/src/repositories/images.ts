import type { ImageReport, ImageSummary } from "@bulwark/model";
import { sql } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Engine } from "../engine.ts";
import type { Schema } from "../schema.ts";
import type { ImageRepository } from "../store.ts";
import { bySeverity } from "./alerts.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

const columns = ["key", "name", "digest", "os", "packages", "state", "scanned_at"] as const;
type Row = Pick<Schema["images"], (typeof columns)[number]>;
const keysAtOnce = 200;

export function imageRepository({ read }: Engine): ImageRepository {
  /** Open findings and running containers of a page of images, in two queries. */
  async function summaries(rows: Row[]): Promise<ImageSummary[]> {
    if (rows.length === 0) return [];
    const keys = rows.map((row) => row.key);
    const findings = await read
      .selectFrom("findings")
      .select(({ fn }) => ["image_key", "severity", fn.countAll<number>().as("count")])
      .where("image_key", "in", keys)
      .where("state", "=", "open")
      .groupBy(["image_key", "severity"])
      .execute();
    const containers = await read
      .selectFrom("containers")
      .select(({ fn }) => ["image_key", fn.countAll<number>().as("count")])
      .where("image_key", "in", keys)
      .where("running", "=", 1)
      .groupBy("image_key")
      .execute();
    const running = new Map(containers.map((row) => [row.image_key, row.count]));
    return rows.map(({ scanned_at, state, ...row }) => ({
      ...row,
      state: state as ImageSummary["state"],
      scannedAt: scanned_at,
      runningContainers: running.get(row.key) ?? 0,
      findings: bySeverity(findings.filter((finding) => finding.image_key === row.key)),
    }));
  }

  return {
    async list({ q }, { cursor, limit }) {
      // Worst first: by the number of open findings of each severity, the worst severity weighing most.
      const weight = sql<number>`coalesce((select sum(case severity when 0 then 1000000 when 1 then 1000 when 2 then 1 else 0 end)
        from findings where findings.image_key = images.key and state = 'open'), 0)`;
      const weighed = read
        .selectFrom("images")
        .select([...columns, weight.as("weight")])
        .as("weighed");
      let query = read
        .selectFrom(weighed)
        .select([...columns, "weight"])
        .orderBy("weight", "desc")
        .orderBy("key", "desc")
        .limit(limit + 1);
      if (q) query = query.where(contains("key", q));
      if (cursor)
        query = query.where(rowAfter(["weight", "key"], "<", decodeCursor("images", cursor, ["number", "string"])));
      const rows = await query.execute();
      const page = pageOf(
        rows,
        limit,
        ({ weight: _, ...row }) => row,
        (row) => encodeCursor("images", [row.weight, row.key]),
      );
      return { items: await summaries(page.items), next: page.next };
    },
    async summary(key) {
      const rows = await read.selectFrom("images").select(columns).where("key", "=", key).execute();
      return (await summaries(rows))[0];
    },
    async report(key) {
      const row = await read.selectFrom("images").select("report").where("key", "=", key).executeTakeFirst();
      return row && (JSON.parse(row.report) as ImageReport);
    },
    async *keys() {
      let after = "";
      for (;;) {
        const rows = await read
          .selectFrom("images")
          .select("key")
          .where("key", ">", after)
          .orderBy("key")
          .limit(keysAtOnce)
          .execute();
        for (const { key } of rows) yield key;
        const last = rows.at(-1);
        if (rows.length < keysAtOnce || !last) return;
        after = last.key;
      }
    },
    async count() {
      const { count } = await read
        .selectFrom("images")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow();
      return count;
    },
    async worst(limit) {
      const rows = await read
        .selectFrom("findings")
        .innerJoin("images", "images.key", "findings.image_key")
        .select(columns.map((column) => `images.${column}` as const))
        .where("findings.state", "=", "open")
        .where("findings.severity", "<=", 2)
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom("containers")
              .select("id")
              .whereRef("containers.image_key", "=", "images.key")
              .where("running", "=", 1),
          ),
        )
        .groupBy(columns.map((column) => `images.${column}` as const))
        .orderBy(sql`sum(case severity when 0 then 1000000 when 1 then 1000 else 1 end)`, "desc")
        .limit(limit)
        .execute();
      return summaries(rows);
    },
  };
}
