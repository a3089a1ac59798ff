import type { RuleText, ToldRule } from "@bulwark/model";
import { sql } from "kysely";
import type { Columns, Engine } from "../engine.ts";
import type { Tx } from "../schema.ts";
import { withoutNul } from "../text.ts";

/** The latest that were told; what alerts say of their rules does not go with them. */
const kept = 2000;

const columns: Columns = {
  ...{ node: "text", rule: "text", file: "text", line: "bigint", text: "text" },
  ...{ since: "bigint", changed: "bigint", told_at: "bigint" },
};
/** Told again by an agent that was started again it is no other. */
const replaces = `on conflict (node, rule) do update set file = excluded.file, line = excluded.line,
  text = excluded.text, told_at = excluded.told_at,
  since = case when rule_texts.text = excluded.text then rule_texts.since else excluded.since end,
  changed = case when rule_texts.text = excluded.text then rule_texts.changed else 1 end`;

export async function putRuleTexts(engine: Engine, tx: Tx, told: readonly ToldRule[], now: number): Promise<void> {
  if (told.length === 0) return;
  // One after the other: the same rule may have changed more than once.
  for (const { node, rule, file, line, text, since } of told) {
    const row = [node, rule, withoutNul(file), line, withoutNul(text), since, 0, now];
    await engine.insertMany(tx, "rule_texts", columns, [row], replaces);
  }
  await sql`delete from rule_texts where (node, rule) in (select node, rule from rule_texts
    order by told_at desc, node, rule limit 5000 offset ${sql.lit(kept)})`.execute(tx);
}

export async function ruleTextOf(
  { read }: Pick<Engine, "read">,
  node: string,
  rule: string,
): Promise<(RuleText & { changedAt: number | null }) | undefined> {
  const row = await read
    .selectFrom("rule_texts")
    .select(["file", "line", "text", "since", "changed"])
    .where("node", "=", node)
    .where("rule", "=", rule)
    .executeTakeFirst();
  if (!row) return undefined;
  const { file, line, text, since, changed } = row;
  return { file, line, text, changedAt: changed === 1 ? since : null };
}
