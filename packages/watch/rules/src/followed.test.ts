import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { eventually } from "@bulwark/testkit";
import { FollowedRules } from "./followed.ts";

const lookEvery = 20;
const ruleOf = (name: string, program = name): string =>
  `- {rule: ${name}, desc: d, output: o, priority: INFO, condition: evt.type = execve and proc.name = ${program}}\n`;

function followed(t: TestContext, files: (folder: string) => string[]) {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-followed-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const said: string[] = [];
  const rules = new FollowedRules({
    ...{ files: files(folder), disabled: [], lookEvery },
    changed: () => said.push("changed"),
    broken: (problems) => said.push(problems.join("\n")),
  });
  t.after(() => rules[Symbol.dispose]());
  const fired = (name: string): string[] =>
    rules.engine
      .match({
        ...{ source: "syscall", type: "execve" },
        get: (field) => ({ "proc.name": name, "container.id": "c1" })[field],
      })
      .map(({ rule }) => rule.name);
  const says = async (count: number): Promise<string> =>
    eventually(`it says something for the ${count}. time`, () => said[count - 1], 10_000);
  return { folder, rules, said, fired, says };
}

test("a file that is broken takes nothing from the rules that run and is told; once mended its rules run", async (t) => {
  const path = (folder: string): string => {
    writeFileSync(join(folder, "own.yaml"), ruleOf("Mine"));
    return join(folder, "own.yaml");
  };
  const { folder, rules, said, fired, says } = followed(t, (place) => [path(place)]);
  const file = join(folder, "own.yaml");
  assert.deepEqual(fired("Mine"), ["Mine"]);

  writeFileSync(
    file,
    `${ruleOf("Other")}- {rule: Broken, desc: d, output: o, priority: INFO, condition: proc.nam = x}\n`,
  );
  const problem = await says(1);
  assert.match(problem, /own\.yaml:2:\d+: error LOAD_ERR_COMPILE_CONDITION: rule "Broken".*\n {2}\| .*proc\.nam = x/);
  assert.match(problem, /mend: /);
  assert.deepEqual([fired("Mine"), fired("Other"), fired("xmrig")], [["Mine"], [], ["Miner executed"]]);
  assert.equal(rules.health.state, "degraded");
  assert.ok(rules.health.reason.includes(problem), rules.health.reason);

  writeFileSync(file, ruleOf("Other"));
  assert.equal(await says(2), "changed");
  assert.deepEqual([fired("Mine"), fired("Other"), fired("xmrig")], [[], ["Other"], ["Miner executed"]]);
  assert.equal(rules.health.state, "ok");

  rmSync(file);
  assert.match(await says(3), /own\.yaml: ENOENT/);
  assert.deepEqual(fired("Other"), ["Other"]);
  await new Promise((resolve) => setTimeout(resolve, 20 * lookEvery));
  assert.equal(said.length, 3, "each state is told once");
});

test("files that come into a folder and go are followed, and a folder of Kubernetes that changes as one", async (t) => {
  const state = (folder: string, name: string, text: string): void => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "own.yaml"), text);
    symlinkSync(name, join(folder, "..new"));
    renameSync(join(folder, "..new"), join(folder, "..data"));
  };
  const { folder, fired, says } = followed(t, (place) => {
    state(place, "..1", ruleOf("Alpha"));
    symlinkSync("..data/own.yaml", join(place, "own.yaml"));
    return [place];
  });
  assert.deepEqual(fired("Alpha"), ["Alpha"]);
  // As long as the other.
  state(folder, "..2", ruleOf("Bravo"));
  assert.equal(await says(1), "changed");
  assert.deepEqual([fired("Alpha"), fired("Bravo")], [[], ["Bravo"]]);

  writeFileSync(join(folder, "more.yaml"), ruleOf("More"));
  assert.equal(await says(2), "changed");
  assert.deepEqual([fired("Bravo"), fired("More")], [["Bravo"], ["More"]]);
  rmSync(join(folder, "more.yaml"));
  assert.equal(await says(3), "changed");
  assert.deepEqual([fired("Bravo"), fired("More")], [["Bravo"], []]);
});
