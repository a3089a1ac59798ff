import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { AuditRules } from "@bulwark/detect/audit";
import type { AgentRecord, Alert, ToldRepeats } from "@bulwark/model";
import { openRules } from "@bulwark/rules";
import { AuditLog } from "./audit-log.ts";

let folder: string;
let file: string;
let log: AuditLog | undefined;
let ids: string[];
let alerts: Alert[];
let repeats: ToldRepeats[];
const { engine } = openRules({ files: [], disabled: [] });

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
  alerts = [];
  repeats = [];
});
afterEach(async () => {
  await log?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function start(every = 5): AuditLog {
  const take = (records: AgentRecord[]): void => {
    for (const record of records) {
      if (record.type === "alert") {
        alerts.push(record.alert);
        continue;
      }
      if (record.type === "repeats") {
        repeats.push(...record.repeats);
        continue;
      }
      assert.ok(record.type === "event" && record.event.kind === "audit");
      assert.equal(record.event.node, "cp");
      assert.equal(record.event.audit.user, "jané");
      ids.push(record.event.id.split("/")[2] ?? "");
    }
  };
  const state = join(folder, "state.json");
  const sync = async (): Promise<void> => Promise.resolve();
  log = new AuditLog({
    node: "cp",
    cluster: "east",
    file,
    state,
    rules: new AuditRules(engine),
    emit: take,
    sync,
    every,
  });
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
    renameSync(file, join(folder, `audit-2026-0${round}-01T00-00-00.000.log`));
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

/** As the API server does it: the `n`th time. */
function rotate(n: number): string {
  const name = join(folder, `audit-2026-01-01T00-0${n}-00.000.log`);
  renameSync(file, name);
  return name;
}
function pack(name: string): void {
  writeFileSync(`${name}.gz`, gzipSync(readFileSync(name)));
  rmSync(name);
}
/** Fifty records are read, then the agent is away. */
async function readFifty(): Promise<void> {
  writeFileSync(file, "");
  const first = start();
  await until("it reads", () => first.health().state === "ok");
  appendFileSync(file, lines(0, 50));
  await until("fifty are there", () => ids.length === 50);
  await first[Symbol.asyncDispose]();
}

test("all of three files that were rotated while the agent was away is read, packed or not, and nothing twice", async () => {
  writeFileSync(join(folder, "audit-2025-01-01T00-00-00.000.log"), lines(900, 910));
  writeFileSync(join(folder, "audit-policy.log"), "not of the log\n");
  await readFifty();
  appendFileSync(file, lines(50, 60));
  pack(rotate(1));
  writeFileSync(file, lines(60, 70));
  // It is being packed now: the packed one is not whole.
  writeFileSync(`${rotate(2)}.gz`, "");
  writeFileSync(file, lines(70, 80));
  pack(rotate(3));
  writeFileSync(file, lines(80, 90));
  const second = start();
  await until("the other forty are there", () => ids.length === 90);
  assert.deepEqual(ids, range(0, 90));
  await until("it has been through them", () => second.health().state !== "failed");
  assert.deepEqual([second.health().state, second.health().counters["rotations"]], ["ok", 3]);
});

test("a file that was rotated away and deleted unread is counted, and what is left is read", async () => {
  await readFifty();
  rmSync(rotate(1));
  writeFileSync(file, lines(60, 70));
  rotate(2);
  // Often the same inode again: it is another file all the same.
  writeFileSync(file, lines(70, 80));
  const second = start();
  await until("those that are left are there", () => ids.length === 70);
  assert.deepEqual(ids, [...range(0, 50), ...range(60, 80)]);
  await until("it has been through them", () => second.health().state !== "failed");
  const { state, reason, remedy, counters } = second.health();
  assert.deepEqual([state, counters["lost.rotated"]], ["degraded", 1]);
  assert.match(`${reason}: ${remedy}`, /1 times a file was gone.*--audit-log-maxbackup/);
});

test("a packed file that is broken is counted, and those after it are read", async () => {
  await readFifty();
  const first = rotate(1);
  writeFileSync(file, lines(60, 70));
  const second = rotate(2);
  writeFileSync(`${second}.gz`, gzipSync(readFileSync(second)).subarray(0, 20));
  rmSync(second);
  writeFileSync(file, lines(70, 80));
  const audit = start();
  await until("the last ones are there", () => ids.includes("79"));
  assert.deepEqual(ids.slice(-10), range(70, 80));
  assert.equal(audit.health().counters["lost.rotated"], 1, first);
});

test("two rotations between two looks lose nothing", async () => {
  writeFileSync(file, "");
  const audit = start(200);
  await until("it reads", () => audit.health().state === "ok");
  for (let n = 0; n < 4; n++) {
    appendFileSync(file, lines(n * 10, n * 10 + 10));
    // The API server packs it soon.
    if (n % 2 === 0) rotate(n);
    else pack(rotate(n));
    writeFileSync(file, "");
  }
  appendFileSync(file, lines(40, 45));
  await until("all are there", () => ids.length === 45);
  assert.deepEqual(ids, range(0, 45));
  assert.equal(audit.health().state, "ok");
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
  await until("the cut is seen", () => audit.health().counters["cuts"] === 1);
  appendFileSync(file, `nonsense\n${lines(5, 6)}${line(6, 3_000_000)}${line(7, 9_000_000)}${lines(8, 9)}`);
  await until("those after it are there", () => ids.includes("8"));
  assert.deepEqual(ids, ["3", "4", "5", "6", "8"], "a record of 9 MB is passed over, and counted");
  assert.equal(audit.health().counters["lost.unreadable"], 2);
  assert.equal(audit.health().state, "degraded");
});

test("a request that a rule is about is one alert, with what was asked again, though each is logged twice", async () => {
  writeFileSync(file, lines(0, 1));
  const audit = start();
  await until("it reads", () => audit.health().state === "ok");
  const record = {
    auditID: "x",
    stage: "ResponseStarted",
    verb: "create",
    user: { username: "jané" },
    requestURI: "/api/v1/namespaces/shop/pods/web/exec?command=id",
    objectRef: { resource: "pods", subresource: "exec", namespace: "shop", name: "web" },
    stageTimestamp: "2026-01-01T00:00:00.000000Z",
  };
  const both = ["ResponseStarted", "ResponseComplete"];
  for (const stage of both) appendFileSync(file, `${JSON.stringify({ ...record, stage })}\n`);
  await until("both are read", () => ids.length === 2);
  assert.deepEqual(repeats, [], "begun and ended is once");
  const stageTimestamp = "2026-01-01T00:00:05.000000Z";
  const again = both.map((stage) => `${JSON.stringify({ ...record, auditID: "y", stage, stageTimestamp })}\n`);
  appendFileSync(file, again.join(""));
  await until("those are read, too", () => ids.length === 4);
  const told = { alert: "east/audit/x/command-run-in-a-pod", count: 1, last: Date.parse(stageTimestamp) };
  const named = { ...told, id: "east/audit/y/command-run-in-a-pod" };
  assert.deepEqual(repeats, [named, named], "by the name that both stages have");
  assert.equal(alerts.length, 1);
  const [alert] = alerts;
  assert.ok(alert);
  assert.deepEqual(
    [alert.id, alert.rule, alert.node],
    ["east/audit/x/command-run-in-a-pod", "command-run-in-a-pod", "cp"],
  );
  assert.equal(alert.process, null);
  assert.equal(alert.request?.user, "jané");
});
