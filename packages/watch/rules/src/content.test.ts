import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readCases, runCases } from "./cases/run.ts";
import { loadRules } from "./load/load.ts";
import { problemText } from "./problem.ts";
import { rulesReference } from "./reference.ts";

const root = join(import.meta.dirname, "../../../..");
const read = (name: string): { name: string; text: string } => ({ name, text: readFileSync(join(root, name), "utf8") });
const files = globSync("content/rules/*.yaml", { cwd: root }).toSorted();
const isCases = (file: string): boolean => file.endsWith(".cases.yaml");
const { ruleset, errors, warnings } = loadRules(files.filter((file) => !isCases(file)).map(read));

test("the rules that come with Bulwark are sound", () => {
  assert.deepEqual([...errors, ...warnings].map(problemText), []);
  assert.ok(ruleset.rules.length >= 80);
});

test("every rule fires at its recorded events, and is quiet at those that look like them", () => {
  const cases = files.filter(isCases).flatMap((file) => readCases(read(file).text));
  const failed = runCases(ruleset, cases, { all: true }).filter(({ failure }) => failure !== undefined);
  assert.deepEqual(failed, []);
});

test("every rule says what it is about, which technique it is, what to look at and what to do", () => {
  const mute = ruleset.rules.filter(
    ({ description, check, remedy, techniques, tactics }) =>
      [description, check, remedy].some((text) => text.length < 10) || techniques.length === 0 || tactics.length === 0,
  );
  assert.deepEqual(
    mute.map(({ name }) => name),
    [],
  );
});

test("docs/rules.md is made of these rules (node scripts/node.mjs scripts/rules-reference.ts)", () => {
  assert.equal(read("docs/rules.md").text, rulesReference(ruleset.rules));
});
