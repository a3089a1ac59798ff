import { sql } from "kysely";
import type { Tx } from "../schema.ts";

/** How often the same was seen again as an alert tells, and when at last. */
export async function repeats(tx: Tx): Promise<void> {
  await sql`alter table alerts add column repeats bigint not null default 0`.execute(tx);
  await sql`alter table alerts add column last_time bigint not null default 0`.execute(tx);
}
