import { networkKeysOf, type FlowHour, type NetworkEnd, type StoredFlow } from "@bulwark/model";
import { sql, type RawBuilder } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Engine } from "../engine.ts";
import type { FlowRepository, FlowSum } from "../store.ts";
import { within, type FlowRow, type FlowSums } from "./flow-sums.ts";
import type { FlowWords } from "./flows-ingest.ts";
import { escaped, pageOf, rowAfter } from "./paging.ts";

const hour = 3_600_000;
/** Parameters of one question. */
const idsAtOnce = 20_000;
/** Of which it is remembered what they are. */
const mostEnds = 50_000;

export function flowRepository(engine: Engine, flowSums: FlowSums): FlowRepository {
  const { read } = engine;
  const known = new Map<string, NetworkEnd>();

  /** An end is what its id was made from: it never becomes another. */
  async function endsOf(ids: Iterable<string>): Promise<ReadonlyMap<string, NetworkEnd>> {
    const asked = new Set(ids);
    const unknown = [...asked].filter((id) => !known.has(id));
    const ends = unknown.length === 0 ? known : new Map<string, NetworkEnd>();
    for (const some of parts(unknown)) {
      const rows = await read
        .selectFrom("flow_ends")
        .select(["id", "body"])
        .where("id", "in", engine.list(some))
        .execute();
      for (const { id, body } of rows) ends.set(id, JSON.parse(body) as NetworkEnd);
    }
    if (ends === known) return known;
    for (const id of asked) {
      const end = known.get(id);
      if (end) ends.set(id, end);
    }
    if (known.size + ends.size > mostEnds) known.clear();
    for (const [id, end] of ends) if (known.size < mostEnds) known.set(id, end);
    return ends;
  }

  return {
    async sums(filter, limit) {
      const rows = await flowSums.total(filter, limit + 1);
      const shown = rows.slice(0, limit);
      const ends = await endsOf(shown.flatMap(({ client, server }) => [client, server]));
      const words = createWords();
      const items = shown.map((row): FlowSum => ({
        ...flowOf(row, ends, words),
        cluster: row.cluster,
        pair: row.pair,
        // A row an hour; where two nodes told of the same it is more, but never more than there were.
        hours: Math.min(row.rows, (row.to_hour - row.from_hour) / hour + 1),
      }));
      return { items, truncated: rows.length > limit };
    },

    prepare: async (filter) => flowSums.prepare(filter),

    async hours({ client, server, port, protocol, ...filter }, { cursor, limit }) {
      let query = read.selectFrom("flow_hours").selectAll().where(within(filter));
      if (client !== undefined) query = query.where("client", "in", idsOf(client));
      if (server !== undefined) query = query.where("server", "in", idsOf(server));
      if (port !== undefined) query = query.where("port", "=", port);
      if (protocol !== undefined) query = query.where("protocol", "=", protocol);
      if (cursor !== undefined) {
        query = query.where(rowAfter(["hour", "id"], "<", decodeCursor("flows", cursor, ["number", "string"])));
      }
      const rows = await query
        .orderBy("hour", "desc")
        .orderBy("id", "desc")
        .limit(limit + 1)
        .execute();
      const ends = await endsOf(rows.flatMap((row) => [row.client, row.server]));
      const words = createWords();
      return pageOf(
        rows,
        limit,
        (row): StoredFlow => {
          return { ...flowOf(row, ends, words), id: row.id, hour: row.hour, cluster: row.cluster, node: row.node };
        },
        (row) => encodeCursor("flows", [row.hour, row.id]),
      );
    },

    async firstSeen(pairs) {
      const seen = new Map<string, number>();
      for (const some of parts([...new Set(pairs)])) {
        const rows = await read
          .selectFrom("flow_pairs")
          .select(["id", "first_seen"])
          .where("id", "in", engine.list(some))
          .execute();
        for (const { id, first_seen: first } of rows) seen.set(id, first);
      }
      return seen;
    },

    async watches({ since, until, cluster }) {
      let watches = read
        .selectFrom("flow_watches")
        .select(["node", "cluster", "since", "until"])
        .where("until", ">=", since)
        .where("since", "<=", until)
        .orderBy("node")
        .orderBy("since");
      let lost = read
        .selectFrom("flow_nodes")
        .select(({ fn }) => ["node", "cluster", sql<number>`cast(${fn.sum("lost")} as bigint)`.as("lost")])
        .where("hour", ">", since - hour)
        .where("hour", "<=", until)
        .groupBy(["node", "cluster"]);
      if (cluster !== undefined) {
        watches = watches.where("cluster", "=", cluster);
        lost = lost.where("cluster", "=", cluster);
      }
      return { watches: await watches.execute(), lost: await lost.execute() };
    },

    async began() {
      const rows = await read
        .selectFrom("flow_watches")
        .select(({ fn }) => ["cluster", fn.min("since").as("since")])
        .groupBy("cluster")
        .execute();
      return new Map(rows.map(({ cluster, since }) => [cluster, since]));
    },
  };
}

/** Ids of the ends that a key of any grain stands for. */
function idsOf(key: string): RawBuilder<string> {
  const keys = networkKeysOf(key);
  return "exact" in keys
    ? sql`(select id from flow_ends where key = ${keys.exact})`
    : sql`(select id from flow_ends where key like ${`${escaped(keys.prefix)}%`} escape '\\')`;
}

/** Few are different: each is read once. */
function createWords(): (text: string) => FlowWords {
  const read = new Map<string, FlowWords>();
  return (text) => {
    const words = read.get(text) ?? (JSON.parse(text) as FlowWords);
    read.set(text, words);
    return words;
  };
}

function flowOf(
  row: FlowRow,
  ends: ReadonlyMap<string, NetworkEnd>,
  wordsOf: (text: string) => FlowWords,
): Omit<FlowHour, "hour"> {
  const gone: NetworkEnd = { workload: null, ip: null, name: null };
  return {
    ...{ side: row.side as FlowHour["side"], port: row.port, protocol: row.protocol as FlowHour["protocol"] },
    ...{ client: ends.get(row.client) ?? gone, server: ends.get(row.server) ?? gone },
    ...wordsOf(row.words),
    ...{ connections: row.connections, flows: row.flows, bytesOut: row.bytes_out, bytesIn: row.bytes_in },
    results: {
      ...{ established: row.established, refused: row.refused, "timed-out": row.timed_out },
      ...{ denied: row.denied, unknown: row.unknown },
    },
    ...{ encrypted: row.encrypted, credential: row.credential > 0, first: row.first_at, last: row.last_at },
  };
}

function parts(ids: readonly string[]): string[][] {
  const count = Math.ceil(ids.length / idsAtOnce);
  return Array.from({ length: count }, (_, index) => ids.slice(index * idsAtOnce, (index + 1) * idsAtOnce));
}
