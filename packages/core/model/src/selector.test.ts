import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesSelector, parseSelector, SelectorError } from "./selector.ts";

const labels = { app: "web", tier: "front", "app.kubernetes.io/name": "shop", empty: "" };

// Cases of k8s.io/apimachinery/pkg/labels/selector_test.go, and those of its documentation.
const matching: [selector: string, matches: boolean][] = [
  ["", true],
  ["app=web", true],
  ["app==web,tier=front", true],
  [" app = web , tier in ( front,back ) ", true],
  ["app=web,tier=back", false],
  ["tier!=back", true],
  ["tier!=front", false],
  ["missing!=front", true],
  ["missing", false],
  ["!missing", true],
  ["!app", false],
  ["app.kubernetes.io/name=shop", true],
  ["app notin (db, cache)", true],
  ["missing notin (db)", true],
  ["app notin (web)", false],
  ["empty=", true],
  ["empty=,app=web", true],
  ["empty in (,a)", true],
  ["empty in ()", true],
  ["app in ()", false],
  ["toString", false],
  ["!toString", true],
  ["in in (in)", false],
];

for (const [selector, matches] of matching) {
  test(`labels ${matches ? "match" : "do not match"} "${selector}"`, () => {
    assert.equal(matchesSelector(labels, parseSelector(selector)), matches);
  });
}

for (const selector of [
  ",",
  "a,",
  "a,,b",
  "a=b=c",
  "=a",
  "a in b",
  "a in (b",
  "a in (b c)",
  "a b",
  "!a=b",
  "!",
  "a=(b)",
  "a/b/c=d",
  "/a=b",
  "Upper.case/name=d",
  "a=-b",
  `a=${"b".repeat(64)}`,
  `a in (${"b,".repeat(100)})`,
  "a,".repeat(33),
  "a".repeat(3000),
]) {
  test(`"${selector.slice(0, 30)}" is no selector, and the error says where`, () => {
    assert.throws(
      () => parseSelector(selector),
      (error) => error instanceof SelectorError && /character \d+: ./.test(error.message),
    );
  });
}
