import { sql } from "kysely";
import type { Tx } from "../schema.ts";

/** What admission policies say of what runs already: by cluster and policy, and each workload that is not simply let in. */
export async function runningPolicies(tx: Tx): Promise<void> {
  const statements = [
    "create table policy_runs (cluster text primary key, judged_at bigint not null, body text not null)",
    `create table policy_tallies (cluster text not null, policy text not null, body text not null,
      primary key (cluster, policy))`,
    `create table policy_violations (cluster text not null, policy text not null, namespace text not null,
      name text not null, kind text not null, verdict text not null, since bigint not null, judged_at bigint not null,
      search text not null, body text not null, primary key (policy, cluster, namespace, name, kind))`,
    "create index policy_violations_cluster on policy_violations (cluster, namespace)",
  ];
  for (const statement of statements) await sql.raw(statement).execute(tx);
}
