import { sql } from "kysely";
import type { Tx } from "../schema.ts";

/** Who talked to whom by the hour, when nodes told of it, and network policies that were published. */
export async function network(tx: Tx): Promise<void> {
  const counts = ["connections", "flows", "bytes_out", "bytes_in", "established", "refused", "timed_out"];
  const columns = [...counts, "denied", "unknown", "encrypted", "credential", "first_at", "last_at"];
  const statements = [
    `create table flow_ends (id text primary key, cluster text not null, key text not null, namespace text not null,
      seen_at bigint not null, body text not null)`,
    "create index flow_ends_key on flow_ends (key)",
    "create index flow_ends_seen on flow_ends (seen_at)",
    `create table flow_hours (id text primary key, hour bigint not null, cluster text not null, node text not null,
      side text not null, client text not null, server text not null, port bigint not null, protocol text not null,
      pair text not null, words text not null, ${columns.map((name) => `${name} bigint not null`).join(", ")})`,
    "create index flow_hours_hour on flow_hours (hour, id)",
    "create index flow_hours_client on flow_hours (client)",
    "create index flow_hours_server on flow_hours (server)",
    `create table flow_pairs (id text primary key, cluster text not null, first_seen bigint not null,
      last_seen bigint not null)`,
    "create index flow_pairs_seen on flow_pairs (last_seen)",
    `create table flow_watches (node text not null, since bigint not null, until bigint not null, cluster text not null,
      primary key (node, since))`,
    "create index flow_watches_until on flow_watches (until)",
    `create table flow_nodes (node text not null, hour bigint not null, cluster text not null, edges bigint not null,
      lost bigint not null, primary key (node, hour))`,
    `create table network_documents (id text primary key, cluster text not null, created_at bigint not null,
      state text not null, confirm_before bigint, body text not null, before text not null)`,
    "create index network_documents_time on network_documents (created_at, id)",
    "create index network_documents_due on network_documents (confirm_before) where confirm_before is not null",
  ];
  for (const statement of statements) await sql.raw(statement).execute(tx);
}
