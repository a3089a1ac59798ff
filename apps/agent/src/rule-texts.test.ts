import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentRecord } from "@bulwark/model";
import { record } from "@bulwark/model";
import { sampleAlert } from "@bulwark/testkit";
import { RuleTexts } from "./rule-texts.ts";

test("a rule of the user's own is told before the first alert that it raises with a text, and again when that is another", () => {
  let text = "- rule: Own";
  const texts = new RuleTexts("node-1", (id) => (id === "own" ? { file: "own.yaml", line: 1, text } : undefined));
  const of = (rule: string, n: number): AgentRecord => ({ type: "alert", alert: sampleAlert(n, { rule }) });
  const told = (records: AgentRecord[]): string[] =>
    texts
      .with(records)
      .map((item) => (item.type === "rule" ? item.rule.text : item.type === "alert" ? item.alert.rule : item.type));

  const before = Date.now();
  assert.deepEqual(told([of("drift", 1), of("own", 2), of("own", 3)]), ["drift", "- rule: Own", "own", "own"]);
  assert.deepEqual(told([of("own", 4)]), ["own"]);

  texts.changed();
  assert.deepEqual(told([of("own", 5)]), ["own"], "another rule has changed");
  text = `- rule: Own, and long ${"x".repeat(9000)}`;
  const [first] = texts.with([of("own", 6)]);
  assert.ok(first?.type === "rule" && first.rule.since >= before);
  assert.equal(record.safeParse(first).success, true, "it is within the bounds of a record");
  assert.ok(first.rule.text.endsWith("x…"));
});
