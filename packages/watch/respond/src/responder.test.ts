import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { missing, eventually, runWithRunc, sampleContainer, type RuncContainer } from "@bulwark/testkit";
import type { Action, ActionRecord, Container } from "@bulwark/model";
import type { Policy } from "@bulwark/sensor";
import type { Counts, Means } from "./action.ts";
import { createResponder, type ActionRequest } from "./responder.ts";

const skip = missing("root", "runc", "busybox");

describe("on a real container", { skip }, () => {
  let running: RuncContainer;
  let container: Container;
  before(() => {
    running = runWithRunc(["sh", "-c", "while true; do echo tick; sleep 0.02; done"]);
    container = sampleContainer(1, { id: running.id, pid: running.pid });
  });
  after(() => running?.[Symbol.asyncDispose]());

  function responder(mode: "observe" | "enforce" | "nothing" = "enforce", means: Means = {}) {
    const audited: ActionRecord[] = [];
    return {
      audited,
      ...createResponder({
        node: "node-1",
        means,
        allowanceOf: () => (mode === "nothing" ? undefined : { mode, system: false }),
        audit: (record) => audited.push(record),
      }),
    };
  }
  let orders = 0;
  const asking = (action: Action, change: Partial<ActionRequest> = {}): ActionRequest => ({
    ...{ id: `order-${++orders}`, action, container, alert: null, by: "anna", reason: "reverse shell" },
    ...change,
  });
  const startTime = (pid: number) =>
    BigInt(
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")[19] ?? 0,
    ) * 10_000_000n;
  const ticks = () => running.logs().length;
  const killing = (pid: number, time = startTime(pid)): ActionRequest =>
    asking({ kind: "kill", process: { pid, startTime: String(time) } });

  test("nothing is done that nobody allowed, and in observe mode it is only said", async () => {
    for (const [mode, state] of [
      ["nothing", "refused"],
      ["observe", "dry-run"],
    ] as const) {
      const { act, audited } = responder(mode);
      const record = await act(asking({ kind: "freeze", limitMs: 1000 }));
      assert.equal(record.state, state);
      assert.deepEqual(audited, [record]);
      const before = ticks();
      await eventually("it runs on", () => ticks() > before || undefined);
    }
  });

  test("a container stands still, and goes on when it is undone", async () => {
    const { act, undo } = responder();
    const record = await act(asking({ kind: "freeze", limitMs: 60_000 }));
    assert.equal(record.state, "done", record.text);
    assert.ok(record.until !== null && record.until > record.time);
    const frozen = ticks();
    await pause(300);
    assert.equal(ticks(), frozen);
    assert.equal((await undo(record.id, "anna"))?.state, "undone");
    await eventually("it goes on", () => ticks() > frozen || undefined);
    assert.equal(await undo(record.id, "anna"), undefined, "once");
  });

  test("its time limit undoes it, and so does the end of the responder", async () => {
    const first = responder();
    await first.act(asking({ kind: "freeze", limitMs: 200 }));
    await eventually("it was undone", () => first.audited.at(-1)?.state === "undone" || undefined);
    assert.equal(first.audited.at(-1)?.by, "time limit");
    const second = responder();
    await second.act(asking({ kind: "freeze", limitMs: 60_000 }));
    await second[Symbol.asyncDispose]();
    const before = ticks();
    await eventually("it goes on", () => ticks() > before || undefined);
  });

  test("what the kernel is to prevent is told to the sensor, counted, and over when the sensor says so", async () => {
    const policies: Policy[] = [];
    const released: string[] = [];
    let on: { told(counts: Counts): void; over(why: string): void } | undefined;
    const enforcer: Means["enforcer"] = {
      async enforce(policy, events) {
        policies.push(policy);
        on = events;
        return { ways: ["end-exec"], release: async () => void released.push(policy.kind) };
      },
    };
    const { act, undo, audited, isLasting } = responder("enforce", { enforcer });
    const exec = { kind: "deny-exec", limitMs: 60_000, paths: ["/bin/nc"], origins: [], onFailure: "closed" } as const;
    const first = asking({ ...exec, paths: ["/bin/nc"], origins: [] });
    const record = await act(first);
    assert.equal(record.state, "done", record.text);
    assert.match(record.text, /\/bin\/nc.*ended as they begin, not refused/);
    const [policy] = policies;
    assert.ok(policy?.kind === "exec" && policy.cgroup.includes(running.id));
    assert.deepEqual([policy.pid, policy.enforce, policy.outlives, policy.limitMs], [running.pid, true, true, 60_000]);
    assert.ok(isLasting(container.id, "deny-exec"));
    on?.told({ prevented: 3, caught: 1, missed: 0 });
    assert.deepEqual(audited.at(-1)?.counts, { prevented: 3, caught: 1, missed: 0 });
    const again = await act(asking({ ...exec, paths: ["/bin/nc"], origins: [] }));
    assert.deepEqual([again.state, again.remedy], ["refused", "Undo that first."]);
    const undone = await undo(record.id, "anna");
    assert.deepEqual([undone?.state, undone?.until, released], ["undone", null, ["exec"]]);
    assert.deepEqual(undone?.counts, { prevented: 3, caught: 1, missed: 0 });

    const network = {
      kind: "deny-connect",
      limitMs: 60_000,
      onFailure: "open",
      except: [{ peer: "10.0.0.9" }],
    } as const;
    const second = await act(
      asking({ ...network, peers: [{ peer: "0.0.0.0/0", ports: [1, 9] }], except: [{ peer: "10.0.0.9" }] }),
    );
    assert.equal(second.state, "done", second.text);
    const rules = policies[1]?.kind === "connect" ? policies[1].peers : [];
    assert.deepEqual(rules, [
      { peer: "10.0.0.9", allows: true },
      { peer: "0.0.0.0/0", ports: [1, 9], allows: false },
    ]);
    on?.over("the container ended");
    assert.deepEqual([audited.at(-1)?.state, audited.at(-1)?.text], ["undone", "the container ended"]);
    assert.equal(await undo(second.id, "anna"), undefined);
  });

  test("what there is no means for fails, and a dry run says so before", async () => {
    const { act } = responder();
    for (const action of [
      { kind: "quarantine", limitMs: 1000, except: [], onFailure: "open" },
      { kind: "pause", limitMs: 1000 },
      { kind: "stop" },
      { kind: "delete-pod" },
      { kind: "cordon", limitMs: 1000 },
    ] satisfies Action[]) {
      const tried = await act(asking(action, { dryRun: true }));
      assert.equal(tried.state, "dry-run");
      assert.match(tried.text, /^would .+, but cannot: .+/);
      const record = await act(asking(action));
      assert.equal(record.state, "failed", action.kind);
      assert.ok(record.text && record.remedy, action.kind);
    }
  });

  test("the system and Bulwark itself are out of reach, the system unless a policy says so", async () => {
    const pod = { name: "p", namespace: "kube-system", uid: "u", container: "c" };
    const system = { ...container, pod };
    const own = { ...container, labels: { "app.kubernetes.io/name": "bulwark" } };
    const { act } = responder();
    const freeze: Action = { kind: "freeze", limitMs: 1000 };
    for (const target of [system, own]) {
      const record = await act(asking(freeze, { container: target }));
      assert.equal(record.state, "refused", record.text);
    }
    const allowance = { mode: "observe", system: true } as const;
    assert.equal((await act(asking(freeze, { container: system, allowance }))).state, "dry-run");
    assert.equal((await act(asking(freeze, { container: own, allowance }))).state, "refused");
  });

  test("what acts through the runtime and the cluster is undone through them", async () => {
    const done: string[] = [];
    const note = (what: string) => async () => void done.push(what);
    const means: Means = {
      runtime: { pause: note("pause"), resume: note("resume"), stop: note("stop") },
      cluster: {
        deletePod: async ({ uid }) => void done.push(`delete ${uid}`),
        async cordon(isOn) {
          done.push(`cordon ${isOn}`);
          return true;
        },
      },
    };
    const { act, undo } = responder("enforce", means);
    const pod = { name: "p", namespace: "shop", uid: "u", container: "c" };
    const target = { container: { ...container, pod } };
    for (const action of [
      { kind: "pause", limitMs: 60_000 },
      { kind: "cordon", limitMs: 60_000 },
      { kind: "stop" },
      { kind: "delete-pod" },
    ] satisfies Action[]) {
      const record = await act(asking(action, target));
      assert.equal(record.state, "done", record.text);
      assert.equal((await undo(record.id, "anna"))?.state, "limitMs" in action ? "undone" : undefined);
    }
    const expected = ["pause", "resume", "cordon true", "cordon false", "stop", "delete u"];
    assert.deepEqual(done, expected);
  });

  test("neither Bulwark, nor the host's processes, nor those of nobody are killed", async () => {
    const { act } = responder();
    const untouchable = [process.pid, process.ppid, 1, 2];
    for (const pid of untouchable) {
      const record = await act(killing(pid));
      assert.equal(record.state, "failed", `pid ${pid}: ${record.text}`);
    }
    const other = await act(killing(running.pid, startTime(running.pid) + 10_000_000_000n));
    assert.equal(other.state, "failed");
    assert.match(other.text, /number is another's/);
  });

  test("a process of the container is killed, and only that", async () => {
    const { act, counters } = responder();
    running.exec("sh", "-c", "sleep 4321 >/dev/null 2>&1 </dev/null &");
    const victim = await eventually("the process is there", () => {
      // Another one of the list may have ended by now: then it is looked at again.
      const pids = JSON.parse(running.runc("ps", "--format", "json", running.id)) as number[];
      return pids.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("4321"));
    });
    const record = await act(killing(victim));
    assert.equal(record.state, "done", record.text);
    await eventually("it is gone", () => {
      const left = JSON.parse(running.runc("ps", "--format", "json", running.id)) as number[];
      return !left.includes(victim) || undefined;
    });
    assert.equal(counters.done, 1);
    const before = ticks();
    await eventually("the container runs on", () => ticks() > before || undefined);
  });
});
