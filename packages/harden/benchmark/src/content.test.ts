import assert from "node:assert/strict";
import { test } from "node:test";
import { caseProblems } from "@bulwark/check";
import { loadLibrary } from "./index.ts";

const { checks } = loadLibrary();
const factsOf = (given: unknown) => ({ values: given as Record<string, unknown> });

test("every check of hosts says of its cases what it must", () => {
  assert.deepEqual(caseProblems(checks.host, factsOf), []);
});

test("every check of clusters says of its cases what it must", () => {
  assert.deepEqual(caseProblems(checks.cluster, factsOf), []);
});
