/** Rule files that change while a machine is watched: broken ones take nothing from the rules that run, whole ones take their place. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, missing, runWithRunc, type RuncContainer } from "@bulwark/testkit";
import { startProduct } from "../product.ts";
import { startCommand } from "./command.ts";
import { doIn, makeVictim, startWorld } from "./world.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox");

const ruleOf = (name: string, condition: string): string =>
  `- {rule: ${name}, desc: d, output: "%proc.cmdline", priority: WARNING, condition: container.id != host and ${condition}}\n`;
const first = ruleOf("First", "evt.type = execve and proc.args contains first");
const second = ruleOf("Second", "evt.type = execve and proc.args contains second");
const broken = ruleOf("Broken", "proc.nam = x");
const place = /own\.yaml:2:\d+: error LOAD_ERR_COMPILE_CONDITION[^]*\n {2}\| .*proc\.nam[^]*mend: /;
/** It is told only where it is asked for. */
const traced = ruleOf("Personality changed", "evt.type = personality");

describe("rule files that change", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-reload-"));
  const root = join(folder, "runc");
  const file = join(folder, "own.yaml");
  let container: RuncContainer;
  before(() => {
    mkdirSync(root);
    container = runWithRunc({ overlay: true, rootfs: makeVictim(join(folder, "victim")), root: "/run/runc" });
  });
  after(async () => {
    await container?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test("bulwark watch goes on with the rules before a broken file, and with others once it is mended; its sensor without a gap", async () => {
    writeFileSync(file, first);
    const recording = join(folder, "recording");
    const command = startCommand("--rules", file, "--record", recording);
    const titles = (): string[] =>
      command.alerts.flatMap(({ alert }) => (alert.container?.id === container.id ? [alert.title] : []));
    const said = async (text: RegExp): Promise<unknown> =>
      eventually(`it says ${text}`, () => text.test(command.said()) || undefined, 20_000);
    /** Until it alerts: what is done is different every time, so that it is never the same again. */
    let turn = 0;
    const alerted = async (title: string, script: string): Promise<unknown> =>
      eventually(
        `${title} alerts`,
        async () => {
          const count = titles().filter((other) => other === title).length;
          await doIn(container, script.replace("N", String(turn++)));
          return titles().filter((other) => other === title).length > count || undefined;
        },
        20_000,
      );
    try {
      await alerted("First", "/bin/echo first N");
      await doIn(container, "/bin/echo first kept");
      await alerted("First", "/bin/echo first N");

      writeFileSync(file, first + broken);
      await said(place);
      await said(/the rules before that go on/);
      await alerted("First", "/bin/echo first N");

      writeFileSync(file, first + second);
      await said(/read again/);
      await alerted("Second", "/bin/echo second N");
      assert.doesNotMatch(command.said(), /traced/);

      // In a loop, while another sensor takes over: each is seen, and once.
      const before = sensorsOf(command.pid);
      assert.equal(before.length, 1);
      writeFileSync(file, first + second + traced);
      const loop = doIn(
        container,
        "i=0; while [ ! -e /tmp/over ]; do i=$((i+1)); /bin/echo loop-$i; cat /etc/shadow >/dev/null; usleep 20000; done; rm /tmp/over",
      );
      await said(/personality traced/);
      await eventually("another sensor runs", () => {
        const now = sensorsOf(command.pid);
        return (now.length === 1 && now[0] !== before[0]) || undefined;
      });
      await doIn(container, "touch /tmp/over");
      await loop;
      await alerted("Personality changed", "linux64 true N");
      // Seen before, by the sensor before: the same again is no news.
      await doIn(container, "/bin/echo first kept");
      await alerted("First", "/bin/echo first N");
      const kept = command.alerts.filter(({ alert }) => alert.process?.arguments.at(-1) === "kept");
      assert.equal(kept.length, 1);
    } finally {
      await command.stop();
    }
    const recorded = readFileSync(recording, "utf8");
    const turns = [...recorded.matchAll(/"type":"exec".*"loop-(\d+)"/g)].map(([, text]) => Number(text));
    // The two may tell a file that is read as they change at different times, and so both.
    const lines = recorded.split("\n");
    const readers = lines.filter((line) => line.includes('"type":"exec"') && line.includes('["cat","/etc/shadow"]'));
    const reads = lines.filter((line) => line.includes('"type":"file"') && line.includes('"path":"/etc/shadow"'));
    const told = new Set(reads.map(pidIn));
    assert.deepEqual(
      readers.map(pidIn).filter((pid) => !told.has(pid)),
      [],
    );
    assert.equal(readers.length, turns.length);
    assert.ok(turns.length > 10, `${turns.length} turns`);
    assert.deepEqual(
      turns,
      turns.map((_, index) => index + 1),
    );
  });

  test("an agent goes on with the rules before a broken file, says what is wrong with it, and takes the mended one", async () => {
    writeFileSync(file, first);
    const config = `agent:\n  node: test-node\n  rules: { files: ["${file}"] }\n  runtimes: { containerd: [], docker: [], cri-o: [], podman: [], crun: [], runc: [/run/runc] }\n`;
    await using product = await startProduct({ config });
    const api = await product.api();
    const part = async (id: string) => (await api.getHealth()).components.find((item) => item.id === id);
    const health = async (state: string) =>
      eventually(
        `rules are ${state}`,
        async () => {
          const rules = await part("rules");
          return rules?.state === state ? rules : undefined;
        },
        30_000,
      );
    const titles = async (): Promise<string[]> => (await api.listAlerts({ query: {} })).items.map(({ title }) => title);
    const alerted = async (title: string, script: string): Promise<unknown> =>
      eventually(
        `${title} alerts`,
        async () => {
          await doIn(container, script);
          return (await titles()).includes(title) || undefined;
        },
        30_000,
      );
    await health("ok");
    writeFileSync(file, second + broken);
    const { reason } = await health("degraded");
    assert.match(reason, place);
    assert.match(product.output(), /own\.yaml:2:\d+: error/);
    await alerted("First", "/bin/echo first");
    await doIn(container, "/bin/echo second");

    writeFileSync(file, second + traced);
    await health("ok");
    await alerted("Personality changed", "linux64 true");
    await alerted("Second", "/bin/echo second again");
    const { items } = await api.listAlerts({ query: {} });
    const seconds = items.filter(({ title }) => title === "Second");
    assert.ok(
      seconds.every(({ process }) => process?.arguments.at(-1)?.endsWith("again")),
      "none of the broken file",
    );
    assert.ok(!items.some(({ rule }) => rule === "sensor-ended"));
    const { rule } = await api.getRuleText({ params: { id: "second" }, query: { node: seconds[0]?.node } });
    assert.deepEqual(rule, { file, line: 1, text: second.trim(), changedAt: null });
    const sensor = await part("sensor");
    assert.deepEqual([sensor?.state, sensor?.counters["restarts"]], ["ok", 0]);
  });

  test("what is prevented is prevented while another sensor takes over, and one alert stays one", async () => {
    await using world = await startWorld();
    const victim = await world.start({ rootfs: makeVictim(join(folder, "prevented")) });
    const { enforcer } = world.watcher;
    const over: string[] = [];
    let prevented = 0;
    const rules = { kind: "exec" as const, paths: ["/opt/bin/deepce"], origins: [] };
    const { release } = await enforcer.enforce(
      { ...rules, cgroup: cgroupOf(victim.pid), pid: victim.pid, limitMs: 60_000, enforce: true, outlives: true },
      { told: (counts) => (prevented = counts.prevented), over: (reason) => over.push(reason) },
    );
    const before = enforcer.guard;
    const loop = doIn(
      victim,
      "cat /etc/shadow; while [ ! -e /tmp/over ]; do /opt/bin/deepce && echo ran >>/tmp/ran; echo tried >>/tmp/tried; usleep 2000; done",
    );
    const count = async (file: string): Promise<number> =>
      Number(await doIn(victim, `cat /tmp/${file} 2>/dev/null | wc -l`));
    await eventually("it is tried", async () => (await count("tried")) > 10 || undefined);
    for (const calls of [["personality"], []]) await world.watcher.ask({ calls });
    const tried = await count("tried");
    await eventually("it is tried on", async () => (await count("tried")) > tried + 10 || undefined);
    await doIn(victim, "cat /etc/shadow; touch /tmp/over");
    await loop;
    assert.equal(await count("ran"), 0);
    assert.deepEqual(over, []);
    assert.notEqual(enforcer.guard, before);
    await eventually("the one that enforced before ends", () => !existsSync(`/proc/${before}`) || undefined);
    await release();
    await doIn(victim, "/opt/bin/deepce && echo ran >>/tmp/ran");
    assert.equal(await count("ran"), 1);
    await eventually(`all are counted: ${tried}`, () => prevented >= tried || undefined);
    assert.deepEqual(
      world.alerts.filter(({ rule }) => rule === "sensor-ended"),
      [],
    );
    const shadow = world.alertsOf(victim).filter(({ process }) => process?.arguments.includes("/etc/shadow"));
    assert.equal(shadow.length, 1);
    assert.equal(world.counters()["restarts"], 0);
  });
});

function cgroupOf(pid: number): string {
  return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "";
}

function pidIn(line: string): string | undefined {
  return /"pid":(\d+)/.exec(line)?.[1];
}

/** The sensors that a process runs. */
function sensorsOf(pid: number): string[] {
  return readdirSync("/proc").filter((entry) => {
    try {
      const [, parent] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${entry}/status`, "utf8")) ?? [];
      return (
        Number(parent) === pid && readFileSync(`/proc/${entry}/comm`, "utf8").startsWith("bulwark-sensor".slice(0, 15))
      );
    } catch {
      return false;
    }
  });
}
