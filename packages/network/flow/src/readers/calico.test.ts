import assert from "node:assert/strict";
import { test } from "node:test";
import { json, readTexts } from "./read-lines.fixture.ts";

const log = {
  start_time: 1767607200,
  end_time: 1767607500,
  source_ip: null,
  source_name: "-",
  source_name_aggr: "web-6d9f8b7c5d-*",
  source_namespace: "shop",
  source_port: null,
  source_type: "wep",
  source_labels: { labels: ["app=web", "projectcalico.org/namespace=shop"] },
  dest_ip: "10.0.2.7",
  dest_name: "api-0",
  dest_name_aggr: "api-*",
  dest_namespace: "shop",
  dest_port: 8080,
  dest_type: "wep",
  dest_labels: { labels: ["app=api"] },
  proto: "tcp",
  action: "allow",
  reporter: "src",
  policies: { all_policies: ["0|default|shop/default.web|allow|0"] },
  bytes_in: 2000,
  bytes_out: 500,
  num_flows: 3,
  packets_in: 9,
  packets_out: 8,
  host: "node-1",
};

test("both reporters of a flow count once, and the pods' workload is told from what they are gathered to", async () => {
  const second = { ...log, reporter: "dst", bytes_in: 500, bytes_out: 2000 };
  const { flows } = await readTexts({ "flows.log": json(log, second) });
  assert.deepEqual(
    flows.map(({ connections, bytesOut, bytesIn }) => [connections, bytesOut, bytesIn]),
    [
      [3, 500, 2000],
      [0, 0, 0],
    ],
  );
  assert.deepEqual(flows[0]?.client.workload?.name, "web");
  assert.deepEqual(flows[0].client.workload.labels, { app: "web" });
  assert.deepEqual([flows[0].server.workload?.name, flows[0].server.workload?.pod], ["api", "api-0"]);
  assert.deepEqual([flows[0].first, flows[0].last], [1767607200000, 1767607500000]);
});

test("a denial names its policy, and a peer outside has no workload", async () => {
  const denied = {
    ...log,
    action: "deny",
    dest_type: "net",
    dest_name: "-",
    dest_name_aggr: "pub",
    dest_namespace: "-",
    dest_ip: "203.0.113.9",
    dest_domains: ["api.example.com"],
    policies: { all_policies: ["0|default|shop/default.web|pass|0", "1|default|shop/default.closed|deny|-1"] },
  };
  const { flows } = await readTexts({ "flows.log": json(denied) });
  assert.deepEqual([flows[0]?.result, flows[0]?.deniedBy], ["denied", "shop/default.closed"]);
  assert.deepEqual(flows[0]?.server, { workload: null, ip: "203.0.113.9", name: "api.example.com" });
});

test("Whisker's form of the same", async () => {
  const whisker = {
    start_time: "2026-01-05T10:00:00Z",
    end_time: "2026-01-05T10:00:15Z",
    action: "Deny",
    source_name: "web-6d9f8b7c5d-*",
    source_namespace: "shop",
    source_labels: "app=web | tier=front",
    dest_name: "api-*",
    dest_namespace: "shop",
    dest_labels: "app=api",
    protocol: "tcp",
    dest_port: 8080,
    reporter: "Dst",
    policies: {
      enforced: [{ kind: "EndOfTier", action: "Deny", trigger: { name: "closed", namespace: "shop" } }],
      pending: [],
    },
    packets_in: 1,
    packets_out: 0,
    bytes_in: 60,
    bytes_out: 0,
  };
  const { flows } = await readTexts({ "whisker.json": json(whisker) });
  assert.deepEqual(flows[0]?.client.workload?.labels, { app: "web", tier: "front" });
  assert.deepEqual([flows[0].result, flows[0].deniedBy, flows[0].bytesOut], ["denied", "shop/closed", 60]);
});
