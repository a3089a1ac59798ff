import { sql } from "kysely";
import type { Tx } from "../schema.ts";

/** Rules of the users' own that have raised alerts, as they are written. */
export async function ruleTexts(tx: Tx): Promise<void> {
  await sql`create table rule_texts (node text not null, rule text not null, file text not null, line bigint not null,
    text text not null, since bigint not null, changed bigint not null, told_at bigint not null,
    primary key (node, rule))`.execute(tx);
  await sql`create index rule_texts_told_at on rule_texts (told_at)`.execute(tx);
}
