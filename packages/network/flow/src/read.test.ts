import assert from "node:assert/strict";
import { test } from "node:test";
import { longestLine } from "@bulwark/model/plain";
import fc from "fast-check";
import { createDirectory } from "./directory.ts";
import { readFlows } from "./read.ts";
import { json, readTexts } from "./readers/read-lines.fixture.ts";

const zeek = {
  ts: 1767607200,
  uid: "C",
  "id.orig_h": "10.0.0.5",
  "id.orig_p": 40000,
  "id.resp_h": "10.0.0.6",
  "id.resp_p": 80,
  proto: "tcp",
};
const good = { ...zeek, conn_state: "SF", orig_bytes: 100, resp_bytes: 200 };

test("broken lines are named by file and line, and stop none of the others", async () => {
  const lines = [
    "{",
    "no json",
    "[]",
    '{"some":"object"}',
    JSON.stringify({ ...good, "id.resp_p": 99999 }),
    JSON.stringify({ ...good, "id.orig_h": "elsewhere" }),
    JSON.stringify({ ...good, ts: "yesterday" }),
    JSON.stringify(good),
  ];
  const { flows, summary } = await readTexts({ "a.log": `${lines.join("\n")}\r\n`, "b.log": "\u0000\n" });
  assert.equal(flows.length, 1);
  assert.equal(summary.broken, 8);
  assert.equal(summary.lines, 9);
  assert.deepEqual(
    summary.examples.map(({ file, line }) => `${file}:${line}`),
    ["a.log:1", "a.log:2", "a.log:3", "a.log:4", "a.log:5", "b.log:1"],
  );
  assert.match(summary.examples[4]?.reason ?? "", /id\.resp_p is no port: 99999/);
});

test("a line without end is let go, and the next is read", async () => {
  const { flows, summary } = await readTexts({ "a.log": `${"x".repeat(longestLine + 1)}\n${json(good)}` });
  assert.equal(flows.length, 1);
  assert.deepEqual(summary.examples, [{ file: "a.log", line: 1, reason: `longer than ${longestLine} bytes` }]);
});

test("a file that is not there is said, and the others are read", async () => {
  const summary = await readFlows([import.meta.filename, `${import.meta.dirname}/none.log`], () => {});
  assert.match(summary.failed.join(), /none\.log: ENOENT/);
  assert.ok(summary.broken > 10);
});

test("Zeek and Suricata saw the same connection: it counts once", async () => {
  const eve = {
    timestamp: "2026-01-05T10:00:01+0000",
    event_type: "flow",
    src_ip: "10.0.0.5",
    src_port: 40000,
    dest_ip: "10.0.0.6",
    dest_port: 80,
    proto: "TCP",
    flow: { bytes_toserver: 140, bytes_toclient: 180, pkts_toserver: 3, pkts_toclient: 3, state: "closed" },
  };
  const { flows } = await readTexts({ "conn.log": json(good), "eve.json": json(eve) });
  assert.deepEqual(
    flows.map(({ connections, bytesOut, bytesIn, packetsOut }) => [connections, bytesOut, bytesIn, packetsOut]),
    [[1, 140, 200, 3]],
  );
});

test("the same ports an hour later are another connection", async () => {
  const { flows } = await readTexts({ "conn.log": json(good, { ...good, ts: good.ts + 3600 }) });
  assert.equal(flows.length, 2);
});

test("an address that has a new owner keeps the old one in old flows", async () => {
  const directory = createDirectory();
  const owner = (name: string) => ({
    namespace: "shop",
    name,
    kind: null,
    pod: null,
    labels: { app: name },
    serviceAccount: null,
    node: null,
  });
  directory.know(owner("old"), ["10.0.0.6"], 0);
  directory.know(owner("new"), ["10.0.0.6"], 1767607300_000);
  const { flows } = await readTexts({ "conn.log": json(good, { ...good, ts: good.ts + 3600 }) }, directory);
  assert.deepEqual(
    flows.map(({ server }) => server.workload?.name),
    ["old", "new"],
  );
});

test("always: no line ends a run, and every line is accounted for", async () => {
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.constant(null),
    fc.array(fc.string()),
    fc.object({ maxDepth: 2 }),
  );
  const field = fc.constantFrom(
    ...[
      "flow",
      "verdict",
      "IP",
      "l4",
      "source",
      "time",
      "l7",
      "event_type",
      "timestamp",
      "dns",
      "tls",
      "reporter",
      "action",
    ],
    ...["dest_namespace", "policies", "start_time", "upstream_cluster", "response_flags", "downstream_remote_address"],
    ...["ts", "id.orig_h", "conn_state", "query", "cipher", "proto", "src_ip", "__proto__"],
  );
  const line = fc.oneof(
    fc.string().map((text) => text.replaceAll(/[\r\n]/g, " ")),
    fc.dictionary(field, value).map((record) => JSON.stringify(record)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 20 }), async (lines) => {
      const { flows, summary } = await readTexts({ "a.log": lines.join("\n") });
      assert.equal(summary.lines, lines.filter((text) => text !== "").length);
      assert.ok(flows.length + summary.broken + summary.other <= summary.lines);
      assert.deepEqual(summary.failed, []);
    }),
    { numRuns: 300 },
  );
});
