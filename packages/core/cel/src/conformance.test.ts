import assert from "node:assert/strict";
import { test } from "node:test";
import { runConformance } from "./conformance.ts";

test("the conformance suite of CEL passes, but for what needs protobuf messages", () => {
  const { passed, failures, skipped } = runConformance();
  assert.deepEqual(failures, []);
  assert.ok(passed >= 1651, `${passed} passed`);
  const names = [...skipped.values()].flat();
  assert.ok(names.length <= 693, `${names.length} skipped`);
  // What is skipped is of the suites about messages, or has them in it.
  const whole = names.filter((name) => /^(?:basic|lists|logic|macros2|string|math_ext|encoders_ext)\//.test(name));
  assert.deepEqual(whole, []);
});
