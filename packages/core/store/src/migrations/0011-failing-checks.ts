import { sql } from "kysely";
import type { Tx } from "../schema.ts";

/** Failing checks are counted on the overview: they are few among all that thousands of hosts were asked. */
export async function failingChecks(tx: Tx): Promise<void> {
  await sql`create index benchmark_states_failing on benchmark_states (check_id, kind, name) where state = 'fail'`.execute(
    tx,
  );
}
