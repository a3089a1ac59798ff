import { sql } from "kysely";
import type { Tx } from "../schema.ts";

/** What admission policies decided. */
export async function admission(tx: Tx): Promise<void> {
  const statements = [
    `create table admission_decisions (id text primary key, time bigint not null, cluster text not null,
      policy text not null, outcome text not null, namespace text not null, search text not null, body text not null)`,
    "create index admission_decisions_time on admission_decisions (time, id)",
    "create index admission_decisions_policy on admission_decisions (policy, time, id)",
    "create index admission_decisions_outcome on admission_decisions (outcome, time, id)",
  ];
  for (const statement of statements) await sql.raw(statement).execute(tx);
}
