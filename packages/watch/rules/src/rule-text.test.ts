import assert from "node:assert/strict";
import { test } from "node:test";
import { ruleTextAt } from "./rule-text.ts";

test("a rule's text ends where the next item, or a comment before it, begins; also in a list that is moved in", () => {
  const first = "- rule: First\n  condition: >-\n    a and\n\n    b";
  const second = "- {rule: Second, desc: d}";
  assert.equal(ruleTextAt(`${first}\n\n# of the second\n${second}\n`, 1), first);
  assert.equal(ruleTextAt(`${first}\n${second}\n`, 6), second);
  const moved = `${first}\n${second}`.replaceAll(/^(?=.)/gm, "  ");
  assert.equal(ruleTextAt(moved, 1), moved.slice(0, moved.indexOf("  - {")).trimEnd());
});
