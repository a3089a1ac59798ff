import { sql } from "kysely";
import type { Engine } from "../engine.ts";
import type { Tx } from "../schema.ts";

/** What benchmarks say of hosts and clusters: the last report of each, its checks, each day's counts, exceptions. */
export async function benchmarks(tx: Tx, kind: Engine["kind"]): Promise<void> {
  const bytes = kind === "sqlite" ? "blob" : "bytea";
  const statements = [
    `create table benchmark_reports (kind text not null, name text not null, collected_at bigint not null,
      report ${bytes} not null, primary key (kind, name))`,
    `create table benchmark_states (kind text not null, name text not null, check_id text not null,
      state text not null, since bigint not null, primary key (kind, name, check_id))`,
    "create index benchmark_states_check on benchmark_states (check_id, state)",
    `create table benchmark_days (kind text not null, name text not null, day bigint not null, passed bigint not null,
      failed bigint not null, unknown bigint not null, primary key (kind, name, day))`,
    `create table benchmark_exceptions (id text primary key, check_id text not null, kind text, name text,
      reason text not null, owner text not null, created_at bigint not null, expires_at bigint not null)`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(tx);
}
