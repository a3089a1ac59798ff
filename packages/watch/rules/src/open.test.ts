import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openRules } from "./open.ts";

const event = (name: string) => ({
  source: "syscall",
  type: "execve",
  get: (field: string) => ({ "proc.name": name, "container.id": "c1" })[field],
});

test("a broken file takes no rule with it and is told; rules that are switched off are silent", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-rules-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const broken = join(folder, "broken.yaml");
  const own = join(folder, "own.yaml");
  writeFileSync(broken, "- rule: [\n");
  writeFileSync(
    own,
    "- {rule: Own, desc: d, output: o, priority: INFO, condition: evt.type = execve and proc.name = mine}\n",
  );
  const fired = (rules: ReturnType<typeof openRules>, name: string): string[] =>
    rules.engine.match(event(name)).map(({ rule }) => rule.name);

  const rules = openRules({ files: [broken, join(folder, "absent.yaml"), own], disabled: [] });
  assert.deepEqual(fired(rules, "mine"), ["Own"]);
  assert.deepEqual(fired(rules, "xmrig"), ["Miner executed"]);
  assert.deepEqual(rules.textOf("own"), { file: own, line: 1, text: readFileSync(own, "utf8").trim() });
  assert.equal(rules.textOf("miner-executed"), undefined);
  assert.equal(rules.health.state, "degraded");
  assert.match(rules.health.reason, /absent\.yaml[^]*broken\.yaml:\d/);

  const less = openRules({ files: [own], disabled: ["miner-executed", "Own"] });
  assert.deepEqual([fired(less, "mine"), fired(less, "xmrig")], [[], []]);
  assert.equal(less.health.state, "ok");
  assert.match(openRules({ files: [], disabled: ["No such"] }).health.reason, /No such/);
});
