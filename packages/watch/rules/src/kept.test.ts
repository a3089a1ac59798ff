import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { contentFolder } from "@bulwark/content/folder";
import { suitesDir } from "@bulwark/testkit";
import { keptRules } from "./kept.ts";
import { loadRules } from "./load/load.ts";
import type { RuleDocument } from "./load/yaml.ts";

test("rules that were kept are those of the files, with all that was told of them", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-kept-rules-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const document = (name: string): RuleDocument => ({ name, text: readFileSync(name, "utf8") });
  const own = readdirSync(contentFolder("rules")).filter((name) => !name.includes(".cases."));
  const stable = join(suitesDir(), "falco/falco_rules.yaml");
  const wrong = {
    name: "wrong.yaml",
    text: "- {rule: R, desc: d, output: '%proc.nam', priority: INFO, condition: a b}\n- x\n",
  };
  for (const documents of [
    own.map((name) => document(join(contentFolder("rules"), name))),
    existsSync(stable) ? [document(stable), wrong] : [wrong],
  ]) {
    const read = loadRules(documents);
    assert.deepEqual(keptRules(documents, folder), read);
    const [file = "", ...more] = readdirSync(folder);
    assert.deepEqual([file.startsWith("rules-"), more], [true, []]);
    assert.deepEqual(keptRules(documents, folder), read);
    // Whatever is read the second time is what was kept, not what was made anew.
    assert.deepEqual(readdirSync(folder), [file]);
    rmSync(join(folder, file));
  }
});
