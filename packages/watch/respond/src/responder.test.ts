import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { missing, eventually, runWithRunc, sampleContainer, type RuncContainer } from "@bulwark/testkit";
import type { Container } from "@bulwark/model";
import type { ActionRecord, ActionRequest } from "./action.ts";
import { createResponder } from "./responder.ts";

const skip = missing("root", "runc", "busybox");
const asked = { by: "anna", reason: "reverse shell" };

describe("on a real container", { skip }, () => {
  let running: RuncContainer;
  let container: Container;
  before(() => {
    running = runWithRunc(["sh", "-c", "while true; do echo tick; sleep 0.02; done"]);
    container = sampleContainer(1, { id: running.id, pid: running.pid });
  });
  after(() => running?.[Symbol.asyncDispose]());

  function responder(mode: "observe" | "enforce" | "nothing" = "enforce") {
    const audited: ActionRecord[] = [];
    return {
      audited,
      ...createResponder({
        modeOf: () => (mode === "nothing" ? undefined : mode),
        audit: (record) => audited.push(record),
      }),
    };
  }
  const startTime = (pid: number) =>
    BigInt(
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")[19] ?? 0,
    ) * 10_000_000n;
  const ticks = () => running.logs().length;
  const killing = (pid: number, time = startTime(pid)): ActionRequest => ({
    ...asked,
    container,
    kind: "kill",
    process: { pid, startTime: time },
  });

  test("nothing is done that nobody allowed, and in observe mode it is only said", async () => {
    for (const [mode, state] of [
      ["nothing", "refused"],
      ["observe", "dry-run"],
    ] as const) {
      const { act, audited } = responder(mode);
      const record = await act({ ...asked, container, kind: "freeze", limitMs: 1000 });
      assert.equal(record.state, state);
      assert.deepEqual(audited, [record]);
      const before = ticks();
      await eventually("it runs on", () => ticks() > before || undefined);
    }
  });

  test("a container stands still, and goes on when it is undone", async () => {
    const { act, undo } = responder();
    const record = await act({ ...asked, container, kind: "freeze", limitMs: 60_000 });
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
    await first.act({ ...asked, container, kind: "freeze", limitMs: 200 });
    await eventually("it was undone", () => first.audited.at(-1)?.state === "undone" || undefined);
    assert.equal(first.audited.at(-1)?.by, "time limit");
    const second = responder();
    await second.act({ ...asked, container, kind: "freeze", limitMs: 60_000 });
    await second[Symbol.asyncDispose]();
    const before = ticks();
    await eventually("it goes on", () => ticks() > before || undefined);
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
    const pids = running.runc("ps", "--format", "json", running.id);
    const victim = (JSON.parse(pids) as number[]).find((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("4321"),
    );
    assert.ok(victim !== undefined);
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
