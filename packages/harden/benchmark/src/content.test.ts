import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { caseProblems } from "@bulwark/check";
import { checksReference, loadLibrary, loadPeer } from "./index.ts";

const { checks } = loadLibrary();
const factsOf = (given: unknown) => ({ values: given as Record<string, unknown> });

test("every check of hosts says of its cases what it must", () => {
  assert.deepEqual(caseProblems(checks.host, factsOf), []);
});

test("every check of clusters says of its cases what it must", () => {
  assert.deepEqual(caseProblems(checks.cluster, factsOf), []);
});

test("docs/checks.md says what the checks are now", () => {
  const written = readFileSync(join(import.meta.dirname, "../../../../docs/checks.md"), "utf8");
  // The formatter aligns tables: what is compared is the words.
  const words = (text: string): string => text.replaceAll(/-{3,}/g, "---").replaceAll(/\s+/g, " ");
  assert.equal(
    words(written),
    words(checksReference(loadLibrary())),
    "node scripts/node.mjs scripts/checks-reference.ts",
  );
});

test("ids of sets are numbers, and no number of a set is given to two checks about different things", () => {
  const { sets } = loadLibrary();
  for (const { id, of } of sets) {
    const numbers = checks[of].flatMap((check) => check.in[id] ?? []);
    assert.ok(numbers.length >= 5, id);
    assert.deepEqual(
      numbers.filter((number) => !/^\d+(\.\d+)*$/.test(number)),
      [],
      id,
    );
    const twice = numbers.filter((number, index) => numbers.indexOf(number) !== index);
    assert.deepEqual(twice, [], id);
  }
});

test("what is said of rules of other scanners is about checks that are there, each once, with reasons that are said", () => {
  const { pairs } = loadPeer("ssg-debian");
  const named = pairs.map(({ check }) => check);
  assert.ok(named.length > 80, String(named.length));
  assert.equal(new Set(named).size, named.length);
});
