import { createHash } from "node:crypto";
import { networkEndKey, splitNodeId, type FlowHour, type FlowReport, type NetworkEnd } from "@bulwark/model";
import type { Columns, Engine, Value } from "../engine.ts";
import type { Tx } from "../schema.ts";
import { withoutNul } from "../text.ts";

/** A report as it goes into the tables. Made before the transaction, which others wait for. */
export interface PackedFlows {
  readonly node: string;
  readonly cluster: string;
  readonly from: number;
  readonly until: number;
  readonly lost: number;
  readonly rows: readonly PackedRow[];
  readonly ends: readonly { id: string; key: string; namespace: string; body: string }[];
}
interface PackedRow {
  readonly id: string;
  readonly client: string;
  readonly server: string;
  readonly pair: string;
  readonly flow: FlowHour;
}

/** Rows of one hour that one node may fill: a scan makes a row for each port. What is beyond is lost, and counted. */
const edgesAnHour = 20_000;
/** Reports follow each other; what is between two of them by less than this is no gap. Milliseconds. */
const tolerance = 10_000;
/** A clock that is further ahead is wrong: what it says would never be old. */
const ahead = 86_400_000;
const hour = 3_600_000;
const mostWords = 16;

const endColumns: Columns = {
  ...{ id: "text", cluster: "text", key: "text", namespace: "text", seen_at: "bigint", body: "text" },
};
const endReplaces = "on conflict (id) do update set seen_at = excluded.seen_at";
const pairColumns: Columns = { id: "text", cluster: "text", first_seen: "bigint", last_seen: "bigint" };
const pairReplaces = `on conflict (id) do update set
  first_seen = case when excluded.first_seen < flow_pairs.first_seen then excluded.first_seen else flow_pairs.first_seen end,
  last_seen = case when excluded.last_seen > flow_pairs.last_seen then excluded.last_seen else flow_pairs.last_seen end`;
const sums = [
  ...["connections", "flows", "bytes_out", "bytes_in", "established", "refused", "timed_out", "denied", "unknown"],
  "encrypted",
] as const;
const rowColumns: Columns = {
  ...{ id: "text", hour: "bigint", cluster: "text", node: "text", side: "text", client: "text", server: "text" },
  ...{ port: "bigint", protocol: "text", pair: "text", words: "text" },
  ...(Object.fromEntries(sums.map((name) => [name, "bigint"])) as Columns),
  ...{ credential: "bigint", first_at: "bigint", last_at: "bigint" },
};
const rowReplaces = `on conflict (id) do update set words = excluded.words,
  ${sums.map((name) => `${name} = flow_hours.${name} + excluded.${name}`).join(", ")},
  credential = case when excluded.credential > 0 then 1 else flow_hours.credential end,
  first_at = case when excluded.first_at < flow_hours.first_at then excluded.first_at else flow_hours.first_at end,
  last_at = case when excluded.last_at > flow_hours.last_at then excluded.last_at else flow_hours.last_at end`;

export function packFlows({ node, from, until, lost, flows }: FlowReport): PackedFlows {
  const { cluster } = splitNodeId(node);
  const ends = new Map<string, PackedFlows["ends"][number]>();
  const endId = (end: NetworkEnd): string => {
    const body = withoutNul(JSON.stringify(end));
    const id = hashOf(cluster, body);
    const key = withoutNul(networkEndKey(end, "pod"));
    ends.set(id, { id, key, namespace: withoutNul(end.workload?.namespace ?? ""), body });
    return id;
  };
  const rows = flows.map((flow): PackedRow => {
    const { side, port, protocol } = flow;
    const [client, server] = [endId(flow.client), endId(flow.server)];
    const id = hashOf(node, String(flow.hour), side, client, server, String(port), protocol);
    return { id, client, server, pair: pairOf(cluster, flow), flow };
  });
  return { node, cluster, from, until, lost, rows, ends: [...ends.values()] };
}

/**
 * Adds what reports bring. A row is one node's own, whose batches come one after the other, so it may be read before it is
 * written.
 */
export async function putFlows(engine: Engine, tx: Tx, reports: readonly PackedFlows[], now: number): Promise<void> {
  for (const report of reports) {
    await putWatch(tx, report, now);
    const { rows, lost } = await withRoom(engine, tx, report, now);
    const { cluster } = report;
    const used = new Set(rows.flatMap(({ client, server }) => [client, server]));
    const ends = report.ends
      .filter(({ id }) => used.has(id))
      .map(({ id, key, namespace, body }): Value[] => [id, cluster, key, namespace, now, body]);
    await engine.insertMany(tx, "flow_ends", endColumns, ordered(ends), endReplaces);
    await engine.insertMany(tx, "flow_pairs", pairColumns, ordered(pairsOf(rows, cluster)), pairReplaces);
    await engine.insertMany(
      tx,
      "flow_hours",
      rowColumns,
      rows.map((row) => rowOf(row, report)),
      rowReplaces,
    );
    await addLost(tx, report, Math.floor(Math.min(report.until, now) / hour) * hour, 0, report.lost + lost);
  }
}

/** The rows with all that is known of their words, without those for which there is no room. */
async function withRoom(
  engine: Engine,
  tx: Tx,
  report: PackedFlows,
  now: number,
): Promise<{ rows: PackedRow[]; lost: number }> {
  const merged = new Map<string, PackedRow>();
  let lost = 0;
  for (const row of report.rows) {
    if (row.flow.hour > now + ahead || row.flow.hour % hour !== 0) {
      lost += row.flow.flows;
      continue;
    }
    const before = merged.get(row.id);
    merged.set(row.id, before ? { ...row, flow: together(before.flow, row.flow) } : row);
  }
  const known = new Map<string, FlowWords>();
  for (const { id, words } of await tx
    .selectFrom("flow_hours")
    .select(["id", "words"])
    .where("id", "in", engine.list([...merged.keys()]))
    .execute()) {
    known.set(id, JSON.parse(words) as FlowWords);
  }
  const rows: PackedRow[] = [];
  for (const [at, own] of Map.groupBy(merged.values(), ({ flow }) => flow.hour)) {
    const fresh = own.filter(({ id }) => !known.has(id));
    const room = fresh.length === 0 ? 0 : Math.max(0, edgesAnHour - (await edgesOf(tx, report.node, at)));
    const left = new Set(fresh.slice(room));
    for (const row of own) {
      if (left.has(row)) lost += row.flow.flows;
      else rows.push({ ...row, flow: { ...row.flow, ...wordsTogether(known.get(row.id), row.flow) } });
    }
    await addLost(tx, report, at, fresh.length - left.size, 0);
  }
  return { rows, lost };
}

/** A report that follows the one before goes on with it; else something was missed in between. */
async function putWatch(tx: Tx, { node, cluster, from, until }: PackedFlows, now: number): Promise<void> {
  if (from > until || until > now + ahead) return;
  const last = await tx
    .selectFrom("flow_watches")
    .select(["since", "until"])
    .where("node", "=", node)
    .orderBy("until", "desc")
    .limit(1)
    .executeTakeFirst();
  if (last && from <= last.until + tolerance && from >= last.since) {
    if (until <= last.until) return;
    await tx
      .updateTable("flow_watches")
      .set({ until })
      .where("node", "=", node)
      .where("since", "=", last.since)
      .execute();
    return;
  }
  await tx
    .insertInto("flow_watches")
    .values({ node, since: from, until, cluster })
    .onConflict((conflict) => conflict.columns(["node", "since"]).doNothing())
    .execute();
}

async function edgesOf(tx: Tx, node: string, at: number): Promise<number> {
  const row = await tx
    .selectFrom("flow_nodes")
    .select("edges")
    .where("node", "=", node)
    .where("hour", "=", at)
    .executeTakeFirst();
  return row?.edges ?? 0;
}

async function addLost(tx: Tx, { node, cluster }: PackedFlows, at: number, edges: number, lost: number): Promise<void> {
  if (edges === 0 && lost === 0) return;
  await tx
    .insertInto("flow_nodes")
    .values({ node, cluster, hour: at, edges, lost })
    .onConflict((conflict) =>
      conflict.columns(["node", "hour"]).doUpdateSet(({ eb, ref }) => ({
        edges: eb(ref("flow_nodes.edges"), "+", edges),
        lost: eb(ref("flow_nodes.lost"), "+", lost),
      })),
    )
    .execute();
}

function pairsOf(rows: readonly PackedRow[], cluster: string): Value[][] {
  const pairs = new Map<string, { first: number; last: number }>();
  for (const { pair, flow } of rows) {
    const { first, last } = pairs.get(pair) ?? flow;
    pairs.set(pair, { first: Math.min(first, flow.first), last: Math.max(last, flow.last) });
  }
  return Array.from(pairs, ([id, { first, last }]) => [id, cluster, first, last]);
}

function rowOf({ id, client, server, pair, flow }: PackedRow, { cluster, node }: PackedFlows): Value[] {
  const { results, tls, clear, processes, deniedBy } = flow;
  const words: FlowWords = { tls, clear, processes, deniedBy };
  return [
    ...[id, flow.hour, cluster, node, flow.side, client, server, flow.port, flow.protocol, pair],
    withoutNul(JSON.stringify(words)),
    ...[flow.connections, flow.flows, flow.bytesOut, flow.bytesIn],
    ...[results.established, results.refused, results["timed-out"], results.denied, results.unknown],
    ...[flow.encrypted, flow.credential ? 1 : 0, flow.first, flow.last],
  ];
}

export type FlowWords = Pick<FlowHour, "tls" | "clear" | "processes" | "deniedBy">;

function wordsTogether(a: FlowWords | undefined, b: FlowWords): FlowWords {
  const both = (name: keyof FlowWords): string[] =>
    [...new Set([...(a?.[name] ?? []), ...b[name]])].slice(0, mostWords).sort();
  return { tls: both("tls"), clear: both("clear"), processes: both("processes"), deniedBy: both("deniedBy") };
}

function together(a: FlowHour, b: FlowHour): FlowHour {
  const results = Object.fromEntries(
    Object.entries(a.results).map(([name, count]) => [name, count + b.results[name as keyof FlowHour["results"]]]),
  ) as FlowHour["results"];
  return {
    ...a,
    ...wordsTogether(a, b),
    ...{ connections: a.connections + b.connections, flows: a.flows + b.flows, results },
    ...{ bytesOut: a.bytesOut + b.bytesOut, bytesIn: a.bytesIn + b.bytesIn, encrypted: a.encrypted + b.encrypted },
    ...{ credential: a.credential || b.credential, first: Math.min(a.first, b.first), last: Math.max(a.last, b.last) },
  };
}

/** Who writes the same rows in the same order cannot stop another who does. */
function ordered(rows: Value[][]): Value[][] {
  return rows.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

function pairOf(cluster: string, { client, server, port, protocol }: FlowHour): string {
  const ends = [client, server].map((end) => networkEndKey(end, "workload"));
  return hashOf(cluster, ...ends, String(port), protocol);
}

function hashOf(...parts: string[]): string {
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 32);
}
