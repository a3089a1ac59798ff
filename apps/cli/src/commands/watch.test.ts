import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
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

test("a clock that was set back while it was recorded neither repeats alerts nor silences them", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-watch-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const demo = parseRecording(readFileSync(join(import.meta.dirname, "../demo/attack.json"), "utf8"));
  const record = demo.records.find(({ type }) => type === "exec");
  const [container] = demo.containers;
  assert.ok(record && "cgroups" in record && container);
  const file = join(folder, "recording");
  const recording = openRecording(file);
  recording.owner(record.cgroups.join("\n"), { attribution: "container", container });
  const minute = 60_000;
  for (const at of [600, 610, 480, 500, 535].map((minutes) => minutes * minute)) recording.record(record, at);
  await recording.close();
  const own = join(folder, "own.yaml");
  writeFileSync(own, "- {rule: Any program, desc: d, output: o, priority: INFO, condition: evt.type = execve}\n");
  const { out } = await call("--replay", file, "--rules", own, "--format", "json");
  const alerts = out.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Alert]));
  const times = alerts.flatMap(({ title, time }) => (title === "Any program" ? [time / minute] : []));
  assert.deepEqual(times, [600, 535], "once an hour, at the times of the recording");
});

/** Writes the address of every module that is loaded into a file. */
const listLoaded = `data:text/javascript,${encodeURIComponent(`
  import { appendFileSync } from "node:fs";
  import { registerHooks } from "node:module";
  registerHooks({ load(url, context, next) { appendFileSync(process.env.LOADED, url + "\\n"); return next(url, context); } });
`)}`;

test("a watch begins within a moment: no YAML, schemas or libraries are loaded once its rules were read, and it tells the same", async (t) => {
  const { folder, file } = await recorded(t);
  const main = join(import.meta.dirname, "../main.ts");
  const loaded = join(folder, "loaded");
  const watch = () => {
    rmSync(loaded, { force: true });
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", listLoaded, main, "watch", "--replay", file, "--format", "json"],
      { env: { ...process.env, LOADED: loaded, XDG_CACHE_HOME: folder }, encoding: "utf8" },
    );
    assert.equal(status, 0, stderr);
    return { stdout, modules: readFileSync(loaded, "utf8").split("\n") };
  };
  const first = watch();
  const again = watch();
  assert.match(first.stdout, /reverse-shell/);
  assert.equal(again.stdout, first.stdout);
  const foreign = (modules: string[]): string[] => modules.filter((url) => /\/node_modules\/(?!@bulwark)/.test(url));
  assert.ok(foreign(first.modules).some((url) => url.includes("/yaml/")));
  // What the rules' expressions are matched by is loaded when the first of them is asked.
  assert.deepEqual(
    foreign(again.modules).filter((url) => !url.includes("/re2js/")),
    [],
  );
  const count = again.modules.filter((url) => url.startsWith("file:")).length;
  assert.ok(count < 140, `${count} modules`);
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

const tetragon = (binary: string, args: string): string => {
  const process = (pid: number, name: string, more: object) => ({
    exec_id: Buffer.from(`node-a:${pid}000000000:${pid}`).toString("base64"),
    pid,
    uid: 0,
    cwd: "/",
    binary: name,
    flags: "execve clone",
    start_time: "2026-01-05T10:00:00.000000001Z",
    docker: "0f9d57a0b2c81d7ee0c1d2a3b4c5d6e",
    ...more,
  });
  const server = process(10, "/usr/sbin/nginx", { arguments: "" });
  const child = process(11, binary, { arguments: args, parent_exec_id: server.exec_id });
  const event = { process_exec: { process: child, parent: server }, node_name: "node-a", time: child.start_time };
  return `${JSON.stringify(event)}\n`;
};
const falco = `${JSON.stringify({
  hostname: "node-b",
  output: "Notice A shell was spawned",
  output_fields: { "container.id": "16514a12c7ad", "container.name": "web\u001B[2J\u009B2J", "proc.cmdline": "sh -i" },
  priority: "Notice",
  rule: "Terminal shell in container",
  source: "syscall",
  tags: ["T1059"],
  time: "2026-01-05T10:00:01.000000001Z",
})}\n`;

test("events of Falco and Tetragon are told in Bulwark's form, and nothing of theirs reaches the terminal", async (t) => {
  const { folder } = await recorded(t);
  const [one, two, own] = ["one.json", "two.json", "own.yaml"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(one, falco);
  writeFileSync(two, tetragon("/bin/sh", "-c id\u001B[31m"));
  writeFileSync(own, "- {rule: Any program, desc: d, output: o, priority: INFO, condition: evt.type = execve}\n");
  const { out, err } = await call("--events", one, "--events", two, "--rules", own, "--stats");
  const [first, ...others] = out.trimEnd().split("\n");
  assert.match(
    first ?? "",
    /^2026-01-05T10:00:01.000Z medium Terminal shell in container \| web\\x1b\[2J\\x9b2J \(\) \|/,
  );
  assert.match(others.join("\n"), /high Server starts a shell \| 0f9d57a0b2c8 \(\) \| \/bin\/sh -c id\\x1b/);
  assert.match(others.join("\n"), /low Any program \|/);
  const stats = JSON.parse(err) as Record<string, unknown>;
  assert.deepEqual([stats["falco"], stats["tetragon"], stats["broken"], stats["passedOver"]], [1, 1, 0, {}]);
  const { out: json } = await call("--events", one, "--format", "json");
  assert.ok(!json.includes("\u001B") && !json.includes("\u009B"), json);
  assert.equal((JSON.parse(json) as Alert).container?.name, "web\u001B[2J\u009B2J");
});

test("broken lines of events are counted and named, and the exit code says that it is a part", async (t) => {
  const { folder } = await recorded(t);
  const file = join(folder, "events");
  writeFileSync(file, `{"half\u001B[2J\n${falco}${"{}\n".repeat(9)}`);
  const { code, out, err } = await callCommand(watchCommand, ["--events", file]);
  assert.equal(code, 3);
  assert.match(out, /Terminal shell/);
  assert.match(err, /events:1: no JSON.*\n.*events:3: neither an alert/);
  assert.match(err, /\n5 more broken lines\n/);
  assert.ok(!err.includes("\u001B"));
});

test("events are not recorded, and a file of them has to be there", async (t) => {
  const { folder, file } = await recorded(t);
  await assert.rejects(call("--events", file, "--record", join(folder, "x")), /both --events and --record/);
  await assert.rejects(call("--events", file, "--replay", file), /both --events and --replay/);
  await assert.rejects(call("--events", join(folder, "absent")), /ENOENT/);
});

test("- is standard input", () => {
  const main = join(import.meta.dirname, "../main.ts");
  const { stdout, status } = spawnSync(process.execPath, [main, "watch", "--events", "-"], { input: falco });
  assert.match(stdout.toString(), /medium Terminal shell in container/);
  assert.equal(status, 0);
});
