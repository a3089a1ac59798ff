import assert from "node:assert/strict";
import { test } from "node:test";
import { caseProblems } from "./cases.ts";
import { contentFolder, readContent } from "@bulwark/content";
import { findSecrets } from "./find.ts";
import { loadKinds } from "./kinds.ts";

const kinds = loadKinds();

test("every kind is found in its positive samples, and not in its negative ones", () => {
  assert.deepEqual(caseProblems(kinds), []);
});

test("at least 150 kinds are known", () => {
  assert.ok(kinds.list.length >= 150, String(kinds.list.length));
});

test("no sample stands whole in the content: whoever scans this repository finds nothing", () => {
  for (const { name, text } of readContent(contentFolder("secrets"))) {
    assert.deepEqual(findSecrets(kinds, Buffer.from(text), name).secrets, [], name);
  }
});
