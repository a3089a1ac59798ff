import type { Scan, ScanOrigin, ScanState } from "@bulwark/model";
import { scanOrigins, scanStates } from "@bulwark/model";
import { sql, type Kysely, type RawBuilder, type SqlBool } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Columns, Engine, Value } from "../engine.ts";
import type { Schema, Tx } from "../schema.ts";
import type { ScanRepository } from "../store.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

type Row = Schema["scans"];

/** What is under way, then what waits in its order, then what failed, then what is done. */
const turn = sql<number>`case state when 'running' then 0 when 'waiting' then 1 when 'failed' then 2 else 3 end`;
/** Among what a registry has: what was pushed, what runs somewhere, the rest. */
const registryRanks = { pushed: 20, running: 21, other: 22 } as const;

export function scanRepository(engine: Engine): ScanRepository {
  const { read, write } = engine;
  return {
    async list({ state, origin, place, q }, { cursor, limit }) {
      const key = cursor
        ? decodeCursor("scans", cursor, ["number", "number", "number", "string", "string"])
        : undefined;
      const conditions: RawBuilder<SqlBool>[] = [
        ...(state ? [sql<SqlBool>`state = ${state}`] : []),
        ...(origin ? [sql<SqlBool>`origin = ${origin}`] : []),
        ...(place === undefined ? [] : [sql<SqlBool>`place = ${place}`]),
        ...(q ? [contains("key", q)] : []),
        ...(key ? [rowAfter(["turn", "rank", "queued_at", "place", "key"], ">", key)] : []),
      ];
      const where = conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
      const { rows } = await sql<
        Row & { turn: number }
      >`select * from (select scans.*, ${turn} as turn from scans) as scans
        ${where} order by turn, rank, queued_at, place, key limit ${sql.lit(limit + 1)}`.execute(read);
      return pageOf(rows, limit, toScan, (row) =>
        encodeCursor("scans", [row.turn, row.rank, row.queued_at, row.place, row.key]),
      );
    },
    async counts() {
      const rows = await read
        .selectFrom("scans")
        .select(({ fn }) => ["origin", "state", fn.countAll<number>().as("count")])
        .groupBy(["origin", "state"])
        .execute();
      const of = (origin: ScanOrigin): Record<ScanState, number> => {
        const counts = scanStates.map((state) => [
          state,
          rows.find((row) => row.origin === origin && row.state === state)?.count ?? 0,
        ]);
        return Object.fromEntries(counts) as Record<ScanState, number>;
      };
      return Object.fromEntries(scanOrigins.map((origin) => [origin, of(origin)])) as Record<
        ScanOrigin,
        Record<ScanState, number>
      >;
    },
    async get(place, key) {
      const row = await read
        .selectFrom("scans")
        .selectAll()
        .where("place", "=", place)
        .where("key", "=", key)
        .executeTakeFirst();
      return row && toScan(row);
    },
    async queue(place, images, { pushed, again }, now) {
      if (images.length === 0) return 0;
      return write.transaction().execute(async (tx) => {
        const running = await runningAmong(
          tx,
          engine,
          images.map(({ key }) => key),
        );
        const rows = images.map(({ key, name }) => {
          const rank = pushed ? registryRanks.pushed : running.has(key) ? registryRanks.running : registryRanks.other;
          const waiting = { reason: "", done: 0, total: null, startedAt: null, finishedAt: null, nextAt: null };
          const scan: Scan = {
            place,
            key,
            name,
            origin: "registry",
            state: "waiting",
            attempts: 0,
            queuedAt: now,
            ...waiting,
          };
          return rowOf(scan, rank, now);
        });
        const before = await countQueued(tx, place);
        const anew = again
          ? `on conflict (place, key) do update set state = 'waiting', attempts = 0, next_at = null, rank = excluded.rank,
             queued_at = excluded.queued_at, told_at = excluded.told_at where scans.state in ('done', 'failed')`
          : `on conflict (place, key) do update set rank = excluded.rank where scans.state = 'waiting' and scans.rank > excluded.rank`;
        await engine.insertMany(tx, "scans", columns, rows, anew);
        return (await countQueued(tx, place)) - before;
      });
    },
    async claim(silence, now) {
      const free = sql<SqlBool>`origin = 'registry' and ((state = 'waiting' and coalesce(next_at, 0) <= ${now})
        or (state = 'running' and told_at < ${now - silence}))`;
      // Asked for again and again, and mostly for nothing: that must not keep writers waiting.
      if (!(await read.selectFrom("scans").select("key").where(free).limit(1).executeTakeFirst())) return undefined;
      // What began to run since it was lined up goes before what does not.
      await sql`update scans set rank = ${registryRanks.running} where state = 'waiting' and rank = ${registryRanks.other}
        and exists (select 1 from containers where image_key = scans.key and running = 1)`.execute(write);
      const skip = engine.kind === "postgresql" ? sql`for update skip locked` : sql``;
      const { rows } =
        await sql<Row>`update scans set state = 'running', attempts = attempts + 1, done = 0, total = null,
          started_at = ${now}, finished_at = null, next_at = null, told_at = ${now}
        where (place, key) in (select place, key from scans where ${free}
          order by rank, queued_at, key limit 1 ${skip})
        returning *`.execute(write);
      return rows[0] && toScan(rows[0]);
    },
    async update(scan, now) {
      const { state, reason, done, total, finishedAt, nextAt } = scan;
      const { numUpdatedRows } = await write
        .updateTable("scans")
        .set({ state, reason, done, total, finished_at: finishedAt, next_at: nextAt, told_at: now })
        .where("place", "=", scan.place)
        .where("key", "=", scan.key)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async forget(place) {
      await write.deleteFrom("scans").where("place", "=", place).execute();
    },
  };
}

async function runningAmong(tx: Tx, engine: Engine, keys: string[]): Promise<Set<string>> {
  const rows = await tx
    .selectFrom("containers")
    .select("image_key")
    .distinct()
    .where("running", "=", 1)
    .where("image_key", "in", engine.list(keys))
    .execute();
  return new Set(rows.map(({ image_key: key }) => key));
}

async function countQueued(database: Kysely<Schema>, place: string): Promise<number> {
  const { count } = await database
    .selectFrom("scans")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("place", "=", place)
    .where("state", "=", "waiting")
    .executeTakeFirstOrThrow();
  return count;
}

const columns: Columns = {
  place: "text",
  key: "text",
  name: "text",
  origin: "text",
  rank: "bigint",
  state: "text",
  attempts: "bigint",
  reason: "text",
  done: "bigint",
  total: "bigint",
  queued_at: "bigint",
  started_at: "bigint",
  finished_at: "bigint",
  next_at: "bigint",
  told_at: "bigint",
};
const latest = `on conflict (place, key) do update set ${Object.keys(columns)
  .slice(2)
  .map((name) => `${name} = excluded.${name}`)
  .join(", ")}`;

/** What a node says of its scans; the latest word on each holds. */
export async function putScans(engine: Engine, tx: Tx, scans: Scan[], now: number): Promise<void> {
  if (scans.length === 0) return;
  const last = new Map(scans.map((scan) => [`${scan.place}\n${scan.key}`, scan]));
  const rows = [...last].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, scan]) => rowOf(scan, rankOf(scan), now));
  await engine.insertMany(tx, "scans", columns, rows, latest);
}

function rankOf({ origin }: Scan): number {
  return scanOrigins.indexOf(origin) * 10;
}

function rowOf(scan: Scan, rank: number, now: number): Value[] {
  const { place, key, name, origin, state, attempts, reason, done, total } = scan;
  const times = [scan.queuedAt, scan.startedAt, scan.finishedAt, scan.nextAt, now];
  return [place, key, name, origin, rank, state, attempts, reason, done, total, ...times];
}

function toScan(row: Row): Scan {
  return {
    place: row.place,
    key: row.key,
    name: row.name,
    origin: row.origin as ScanOrigin,
    state: row.state as ScanState,
    attempts: row.attempts,
    reason: row.reason,
    done: row.done,
    total: row.total,
    queuedAt: row.queued_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    nextAt: row.next_at,
  };
}
