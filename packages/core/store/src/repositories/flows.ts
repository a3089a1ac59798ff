import { networkKeysOf, type FlowHour, type NetworkEnd, type StoredFlow } from "@bulwark/model";
import { sql, type RawBuilder, type SqlBool } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Engine } from "../engine.ts";
import type { FlowFilter, FlowRepository, FlowSum } from "../store.ts";
import type { FlowWords } from "./flows-ingest.ts";
import { escaped, pageOf, rowAfter } from "./paging.ts";

const hour = 3_600_000;
/** Parameters of one question. */
const idsAtOnce = 20_000;

interface Row {
  cluster: string;
  side: string;
  client: string;
  server: string;
  port: number;
  protocol: string;
  pair: string;
  words: string;
  connections: number;
  flows: number;
  bytes_out: number;
  bytes_in: number;
  established: number;
  refused: number;
  timed_out: number;
  denied: number;
  unknown: number;
  encrypted: number;
  credential: number;
  first_at: number;
  last_at: number;
}

export function flowRepository(engine: Engine): FlowRepository {
  const { read } = engine;

  async function endsOf(ids: Iterable<string>): Promise<Map<string, NetworkEnd>> {
    const ends = new Map<string, NetworkEnd>();
    for (const some of parts([...new Set(ids)])) {
      const rows = await read
        .selectFrom("flow_ends")
        .select(["id", "body"])
        .where("id", "in", engine.list(some))
        .execute();
      for (const { id, body } of rows) ends.set(id, JSON.parse(body) as NetworkEnd);
    }
    return ends;
  }

  return {
    async sums(filter, limit) {
      const total = (name: string): RawBuilder<unknown> =>
        sql`cast(sum(${sql.ref(name)}) as bigint) as ${sql.id(name)}`;
      const counts = ["connections", "flows", "bytes_out", "bytes_in", "established", "refused", "timed_out"];
      const totals = [...counts, "denied", "unknown", "encrypted"].map(total);
      const named = sql`cluster, side, client, server, port, protocol, pair, words`;
      const { rows } = await sql<
        Row & { rows: number; from_hour: number; to_hour: number }
      >`select ${named}, ${sql.join(totals)},
        max(credential) as credential, min(first_at) as first_at, max(last_at) as last_at,
        count(*) as rows, min(hour) as from_hour, max(hour) as to_hour from flow_hours where ${conditions(filter)} group by ${named}
        order by sum(connections) desc, client, server, port limit ${limit + 1}`.execute(read);
      const shown = rows.slice(0, limit);
      const ends = await endsOf(shown.flatMap(({ client, server }) => [client, server]));
      const items = shown.map((row): FlowSum => ({
        ...flowOf(row, ends),
        cluster: row.cluster,
        pair: row.pair,
        // A row an hour; where two nodes told of the same it is more, but never more than there were.
        hours: Math.min(row.rows, (row.to_hour - row.from_hour) / hour + 1),
      }));
      return { items, truncated: rows.length > limit };
    },

    async hours({ client, server, port, protocol, ...filter }, { cursor, limit }) {
      let query = read.selectFrom("flow_hours").selectAll().where(conditions(filter));
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
      return pageOf(
        rows,
        limit,
        (row): StoredFlow => {
          return { ...flowOf(row, ends), id: row.id, hour: row.hour, cluster: row.cluster, node: row.node };
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

function conditions({ since, until, cluster, namespace }: FlowFilter): RawBuilder<SqlBool> {
  const all = [sql`hour > ${since - hour}`, sql`hour <= ${until}`];
  all.push(sql`last_at >= ${since}`, sql`first_at <= ${until}`);
  if (cluster !== undefined) all.push(sql`cluster = ${cluster}`);
  if (namespace !== undefined) {
    const own = sql`(select id from flow_ends where key like ${`${escaped(namespace)}/%`} escape '\\')`;
    all.push(sql`(client in ${own} or server in ${own})`);
  }
  return sql`${sql.join(all, sql` and `)}`;
}

/** Ids of the ends that a key of any grain stands for. */
function idsOf(key: string): RawBuilder<string> {
  const keys = networkKeysOf(key);
  return "exact" in keys
    ? sql`(select id from flow_ends where key = ${keys.exact})`
    : sql`(select id from flow_ends where key like ${`${escaped(keys.prefix)}%`} escape '\\')`;
}

function flowOf(row: Row, ends: ReadonlyMap<string, NetworkEnd>): Omit<FlowHour, "hour"> {
  const gone: NetworkEnd = { workload: null, ip: null, name: null };
  return {
    ...{ side: row.side as FlowHour["side"], port: row.port, protocol: row.protocol as FlowHour["protocol"] },
    ...{ client: ends.get(row.client) ?? gone, server: ends.get(row.server) ?? gone },
    ...(JSON.parse(row.words) as FlowWords),
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
