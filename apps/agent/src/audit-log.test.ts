import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { AgentRecord } from "@bulwark/model";
import { AuditLog } from "./audit-log.ts";

let folder: string;
let file: string;
let log: AuditLog | undefined;
let ids: string[];

const line = (n: number, pad = 0): string =>
  `${JSON.stringify({
    auditID: String(n),
    stage: "ResponseComplete",
    verb: "get",
    user: { username: "jané" },
    stageTimestamp: "2026-01-01T00:00:00.000000Z",
    pad: "x".repeat(pad),
  })}\n`;
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, n) => line(from + n)).join("");
const range = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => String(from + n));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bulwark-audit-"));
  file = join(folder, "audit.log");
  ids = [];
});
afterEach(async () => {
  await log?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function start(): AuditLog {
  const take = (records: AgentRecord[]): void => {
    for (const record of records) {
      assert.ok(record.type === "event" && record.event.kind === "audit");
      assert.equal(record.event.node, "cp");
      assert.equal(record.event.audit.user, "jané");
      ids.push(record.event.id.split("/")[2] ?? "");
    }
  };
  const state = join(folder, "state.json");
  const sync = async (): Promise<void> => Promise.resolve();
  log = new AuditLog({ node: "cp", cluster: "east", file, state, emit: take, sync, every: 5 });
  return log;
}
async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > end) assert.fail(`never: ${what}; has ${ids.length}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("all records come once, through two rotations and a line that is written in two parts", async () => {
  writeFileSync(file, lines(0, 5));
  const audit = start();
  await until("it reads", () => audit.health().state === "ok");
  appendFileSync(file, lines(5, 100));
  const whole = line(100);
  const half = Buffer.from(whole).subarray(0, Buffer.from(whole).indexOf(0xc3) + 1);
  appendFileSync(file, half);
  await until("whole lines are there", () => ids.length === 95);
  appendFileSync(file, Buffer.from(whole).subarray(half.length));
  for (const round of [0, 1]) {
    appendFileSync(file, lines(101 + round * 20, 111 + round * 20));
    renameSync(file, join(folder, `audit-2026-0${round}.log`));
    writeFileSync(file, lines(111 + round * 20, 121 + round * 20));
    await until("both files are read", () => ids.length === 96 + (round + 1) * 20);
  }
  assert.deepEqual(ids, range(5, 141), "what was there before the first start is left alone");
  assert.equal(audit.health().counters["rotations"], 2);
});

test("what was written and rotated while the agent was down is read by the next one, and nothing twice", async () => {
  writeFileSync(file, "");
  const first = start();
  await until("it reads", () => first.health().state === "ok");
  appendFileSync(file, lines(0, 50));
  await until("fifty are there", () => ids.length === 50);
  await first[Symbol.asyncDispose]();
  appendFileSync(file, lines(50, 60));
  renameSync(file, join(folder, "audit-2026-01-01T00-00-00.000.log"));
  writeFileSync(file, lines(60, 70));
  const second = start();
  await until("the other twenty are there", () => ids.length === 70);
  await second[Symbol.asyncDispose]();
  start();
  appendFileSync(file, lines(70, 71));
  await until("the last one is there", () => ids.length === 71);
  assert.deepEqual(ids, range(0, 71));
});

test("a file that was cut, lines that are no records, and a file that is not there are said", async () => {
  const audit = start();
  await until(
    "it is said that it is not there",
    () => audit.health().state === "failed" && audit.health().reason !== "not read yet",
  );
  writeFileSync(file, lines(0, 3));
  await until("it reads", () => audit.health().state === "ok");
  appendFileSync(file, lines(3, 5));
  await until("two are there", () => ids.length === 2);
  truncateSync(file, 0);
  await until("the cut is seen", () => true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  appendFileSync(file, `nonsense\n${lines(5, 6)}${line(6, 3_000_000)}${line(7, 9_000_000)}${lines(8, 9)}`);
  await until("those after it are there", () => ids.includes("8"));
  assert.deepEqual(ids, ["3", "4", "5", "6", "8"], "a record of 9 MB is passed over, and counted");
  assert.equal(audit.health().counters["lost.unreadable"], 2);
  assert.equal(audit.health().state, "degraded");
});
