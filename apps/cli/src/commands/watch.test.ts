import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Alert } from "@bulwark/model";
import { parseRecording } from "../demo/recording.ts";
import { openRecording } from "../watch/recording.ts";
import { callCommand } from "../call.fixture.ts";
import { watchCommand } from "./watch.ts";

async function call(...args: string[]): Promise<{ out: string; err: string }> {
  const { code, out, err } = await callCommand(watchCommand, args);
  assert.equal(code, 0);
  return { out, err };
}

/** The demo's attack, as `bulwark watch --record` writes it. */
async function recorded(t: TestContext): Promise<{ folder: string; file: string }> {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-watch-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "recording");
  const demo = readFileSync(join(import.meta.dirname, "../demo/attack.json"), "utf8");
  const { containers, records } = parseRecording(demo);
  const recording = openRecording(file);
  const [container] = containers;
  assert.ok(container);
  for (const record of records) {
    if ("cgroups" in record) recording.owner(record.cgroups.join("\n"), { attribution: "container", container });
    recording.record(record, Number(record.time / 1_000_000n));
  }
  await recording.close();
  return { folder, file };
}

test("a replay gives the same alerts every time, and those of rules that are new", async (t) => {
  const { folder, file } = await recorded(t);
  const first = await call("--replay", file, "--format", "json", "--stats");
  const alerts = first.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Alert);
  const rules = alerts.map(({ rule }) => rule);
  assert.ok(rules.includes("reverse-shell") && rules.includes("drift"), rules.join(" "));
  assert.equal((JSON.parse(first.err) as { alerts: number }).alerts, alerts.length);
  assert.equal((await call("--replay", file, "--format", "json")).out, first.out);

  const own = join(folder, "own.yaml");
  writeFileSync(own, "- {rule: Any program, desc: d, output: o, priority: INFO, condition: evt.type = execve}\n");
  assert.match((await call("--replay", file, "--rules", own)).out, /low Any program \|/);
});

test("a recording that was cut off is read to its end, a broken line is named", async (t) => {
  const { file } = await recorded(t);
  const whole = readFileSync(file, "utf8");
  writeFileSync(file, whole.slice(0, -20));
  await call("--replay", file);
  writeFileSync(file, `nonsense\n${whole}`);
  await assert.rejects(call("--replay", file), /recording:1: no line of a recording/);
  await assert.rejects(call("--replay", join(file, "absent")), /ENO/);
});

test("rules with errors are refused before anything is watched", async (t) => {
  const { folder, file } = await recorded(t);
  const bad = join(folder, "bad.yaml");
  writeFileSync(bad, "- {rule: x, desc: d, output: o, priority: INFO, condition: proc.nam = x}\n");
  await assert.rejects(call("--replay", file, "--rules", bad), /1 errors in the rules/);
});
