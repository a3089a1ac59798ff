import { sql, type RawBuilder, type SqlBool } from "kysely";
import type { Engine } from "../engine.ts";
import type { Schema } from "../schema.ts";
import type { FlowFilter } from "../store.ts";
import { escaped } from "./paging.ts";

/** Counts of one or many hours, of the same ends, port and words. */
export type FlowRow = Omit<Schema["flow_hours"], "id" | "hour" | "node">;
interface FlowTotal extends FlowRow {
  rows: number;
  from_hour: number;
  to_hour: number;
}

/** Adds up flows over hours, and keeps the sums of hours that are over: an open map asks again and again for a day of them. */
export interface FlowSums {
  /** At most `limit`, most connections first. */
  total(filter: FlowFilter, limit: number): Promise<FlowTotal[]>;
  /** Adds up what is over of that time, unless it was before: whoever asks for it next does not wait. */
  prepare(filter: FlowFilter): Promise<void>;
  /** Something of these hours was stored. */
  stored(hours: Iterable<number>): void;
}

const hour = 3_600_000;
/** What is left of an hour comes when it is over. Milliseconds. */
const settled = 600_000;
/** So many sums are kept at most, of all questions together. */
const mostKept = 100_000;
/** Of sums that take long, what comes later, from agents that were away or by another replica, may be missing for so long. */
const large = 5000;
const mostLate = 60_000;
/** A question about more hours is asked as a whole. */
const mostHours = 1000;
const connections = ["connections", "established", "refused", "timed_out", "denied", "unknown", "encrypted"] as const;
const counts = [...connections, "flows", "bytes_out", "bytes_in"] as const;

interface Kept {
  readonly from: number;
  readonly until: number;
  readonly at: number;
  readonly totals: Promise<ReadonlyMap<string, FlowTotal>>;
  isCounted: boolean;
  size: number;
  isStale: boolean;
}

export function createFlowSums(engine: Engine): FlowSums {
  const kept = new Map<string, Kept>();

  async function ask(conditions: RawBuilder<SqlBool>, limit: number): Promise<FlowTotal[]> {
    const totals = counts.map((name) => sql`cast(sum(${sql.ref(name)}) as bigint) as ${sql.id(name)}`);
    const named = sql`cluster, side, client, server, port, protocol, pair, words`;
    const { rows } = await sql<FlowTotal>`select ${named}, ${sql.join(totals)},
      max(credential) as credential, min(first_at) as first_at, max(last_at) as last_at,
      count(*) as rows, min(hour) as from_hour, max(hour) as to_hour from flow_hours where ${conditions} group by ${named}
      order by sum(connections) desc, client, server, port limit ${limit}`.execute(engine.read);
    return rows;
  }

  /** Whole hours that are over. */
  async function over(filter: FlowFilter, from: number, until: number): Promise<ReadonlyMap<string, FlowTotal>> {
    const key = keyOfQuestion(filter, from, until);
    const before = kept.get(key);
    if (before && isGood(before)) return before.totals;
    const whole = kept.get(keyOfQuestion({ ...filter, cluster: undefined }, from, until));
    if (filter.cluster !== undefined && whole?.isCounted && whole.size <= mostKept && isGood(whole)) {
      const all = await whole.totals;
      return new Map([...all].filter(([, { cluster }]) => cluster === filter.cluster));
    }
    const conditions = sql<SqlBool>`hour >= ${from} and hour < ${until} and ${whose(filter)}`;
    const totals = ask(conditions, mostKept + 1).then((rows) => new Map(rows.map((row) => [keyOf(row), row])));
    const own: Kept = { from, until, at: performance.now(), totals, isCounted: false, size: 0, isStale: false };
    kept.delete(key);
    kept.set(key, own);
    try {
      own.size = (await totals).size;
      own.isCounted = true;
    } catch (error) {
      if (kept.get(key) === own) kept.delete(key);
      throw error;
    }
    makeRoom();
    return totals;
  }

  function isGood({ isCounted, isStale, size, at }: Kept): boolean {
    // The file of SQLite has one writer: this process.
    const isCertain = !isStale && (!isCounted || engine.kind === "sqlite");
    return isCertain || (size >= large && performance.now() - at < mostLate);
  }

  function makeRoom(): void {
    let all = [...kept.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [key, { size }] of kept) {
      if (all <= mostKept && kept.size <= 16) break;
      kept.delete(key);
      all -= size;
    }
  }

  return {
    async total(filter, limit) {
      const { since, until } = filter;
      const past = pastOf(filter);
      if (!past) return ask(within(filter), limit);
      const { from, end } = past;
      const others = [...(since < from ? [from - hour] : []), ...hoursOf(end, until)];
      const open = sql<SqlBool>`hour in (${sql.join(others)}) and ${within(filter)}`;
      const [closed, now] = await Promise.all([over(filter, from, end), ask(open, limit)]);
      return [...together(closed, now).values()].sort(byConnections).slice(0, limit);
    },
    async prepare(filter) {
      const past = pastOf(filter);
      if (past && !kept.has(keyOfQuestion(filter, past.from, past.end))) await over(filter, past.from, past.end);
    },
    stored(hours) {
      for (const at of hours) for (const one of kept.values()) if (one.from <= at && at < one.until) one.isStale = true;
    },
  };
}

/** The whole hours of a time that are over, where they are several. */
function pastOf({ since, until }: FlowFilter): { from: number; end: number } | undefined {
  const from = Math.ceil(since / hour) * hour;
  const end = Math.floor((until - settled) / hour) * hour;
  return end - from < 2 * hour || until - since > mostHours * hour ? undefined : { from, end };
}

function keyOfQuestion({ cluster, namespace }: FlowFilter, from: number, until: number): string {
  return JSON.stringify([cluster ?? null, namespace ?? null, from, until]);
}

export function within(filter: FlowFilter): RawBuilder<SqlBool> {
  const { since, until } = filter;
  return sql`hour > ${since - hour} and hour <= ${until} and last_at >= ${since} and first_at <= ${until}
    and ${whose(filter)}`;
}

function whose({ cluster, namespace }: FlowFilter): RawBuilder<SqlBool> {
  const all = [sql`1 = 1`];
  if (cluster !== undefined) all.push(sql`cluster = ${cluster}`);
  if (namespace !== undefined) {
    const own = sql`(select id from flow_ends where key like ${`${escaped(namespace)}/%`} escape '\\')`;
    all.push(sql`(client in ${own} or server in ${own})`);
  }
  return sql`${sql.join(all, sql` and `)}`;
}

function hoursOf(from: number, until: number): number[] {
  return Array.from({ length: Math.floor((until - from) / hour) + 1 }, (_, index) => from + index * hour);
}

function keyOf({ cluster, side, client, server, port, protocol, words }: FlowRow): string {
  return `${client}${server}${side} ${port} ${protocol} ${cluster} ${words}`;
}

/** What is kept is not changed. */
function together(closed: ReadonlyMap<string, FlowTotal>, now: readonly FlowTotal[]): Map<string, FlowTotal> {
  const all = new Map(closed);
  for (const row of now) {
    const key = keyOf(row);
    const before = closed.get(key);
    all.set(key, before ? sumOf(before, row) : row);
  }
  return all;
}

function sumOf(a: FlowTotal, b: FlowTotal): FlowTotal {
  const sum = { ...a };
  for (const name of counts) sum[name] += b[name];
  sum.rows += b.rows;
  sum.credential = Math.max(a.credential, b.credential);
  sum.first_at = Math.min(a.first_at, b.first_at);
  sum.last_at = Math.max(a.last_at, b.last_at);
  sum.from_hour = Math.min(a.from_hour, b.from_hour);
  sum.to_hour = Math.max(a.to_hour, b.to_hour);
  return sum;
}

function byConnections(a: FlowTotal, b: FlowTotal): number {
  return b.connections - a.connections || compare(a.client, b.client) || compare(a.server, b.server) || a.port - b.port;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
