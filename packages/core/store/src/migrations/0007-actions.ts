import { sql } from "kysely";
import type { Tx } from "../schema.ts";

/** What was done about alerts, and what agents are still to do. */
export async function actions(tx: Tx): Promise<void> {
  const statements = [
    `create table actions (id text primary key, node text not null, container text not null, alert text,
      created_at bigint not null, state text not null, body text not null)`,
    "create index actions_time on actions (created_at, id)",
    "create index actions_alert on actions (alert, created_at) where alert is not null",
    "create index actions_container on actions (container, created_at)",
    "create table orders (id text primary key, node text not null, expires_at bigint not null, body text not null)",
    "create index orders_node on orders (node, expires_at)",
  ];
  for (const statement of statements) await sql.raw(statement).execute(tx);
}
