import assert from "node:assert/strict";
import { test } from "node:test";
import { json, readTexts } from "./read-lines.fixture.ts";

const packet = {
  time: "2026-01-05T10:00:00.123456789Z",
  verdict: "FORWARDED",
  IP: { source: "10.0.1.5", destination: "10.0.2.7", ipVersion: "IPv4" },
  l4: { TCP: { source_port: 42000, destination_port: 8080, flags: { SYN: true } } },
  source: {
    ID: 5,
    identity: 100,
    namespace: "shop",
    labels: [
      "k8s:app=web",
      "k8s:io.cilium.k8s.policy.serviceaccount=web",
      "k8s:io.kubernetes.pod.namespace=shop",
      "k8s:io.cilium.k8s.namespace.labels.team=a",
    ],
    pod_name: "web-6d9f8b7c5d-x2x4z",
    workloads: [{ name: "web", kind: "Deployment" }],
  },
  destination: {
    namespace: "shop",
    labels: ["k8s:app=api"],
    pod_name: "api-0",
    workloads: [{ name: "api", kind: "StatefulSet" }],
  },
  Type: "L3_L4",
  node_name: "node-1",
  traffic_direction: "EGRESS",
  is_reply: false,
};
const answer = {
  ...packet,
  time: "2026-01-05T10:00:01Z",
  IP: { source: "10.0.2.7", destination: "10.0.1.5" },
  l4: { TCP: { source_port: 8080, destination_port: 42000, flags: { SYN: true, ACK: true } } },
  source: packet.destination,
  destination: packet.source,
  is_reply: true,
};

test("packets of one connection are one flow, from who opened it", async () => {
  const { flows } = await readTexts({
    "hubble.json": json({ flow: packet, node_name: "node-1", time: packet.time }, answer),
  });
  assert.equal(flows.length, 1);
  const [flow] = flows;
  assert.deepEqual(flow?.client.workload, {
    namespace: "shop",
    name: "web",
    kind: "Deployment",
    pod: "web-6d9f8b7c5d-x2x4z",
    labels: { app: "web" },
    serviceAccount: "web",
    node: "node-1",
  });
  assert.equal(flow.server.workload?.name, "api");
  assert.deepEqual([flow.port, flow.clientPort, flow.protocol, flow.result], [8080, 42000, "TCP", "established"]);
  assert.deepEqual([flow.first, flow.last], [Date.UTC(2026, 0, 5, 10, 0, 0, 123), Date.UTC(2026, 0, 5, 10, 0, 1)]);
});

test("a drop names its policy; where Hubble names none, its reason", async () => {
  const dropped = { ...packet, verdict: "DROPPED", drop_reason_desc: "POLICY_DENY" };
  const named = { ...dropped, egress_denied_by: [{ name: "no-api", namespace: "shop", kind: "CiliumNetworkPolicy" }] };
  const other = { ...dropped, l4: { TCP: { source_port: 42001, destination_port: 8080 } } };
  const { flows } = await readTexts({ "hubble.json": json(named, other) });
  assert.deepEqual(
    flows.map(({ result, deniedBy }) => [result, deniedBy]),
    [
      ["denied", "shop/no-api"],
      ["denied", "POLICY_DENY"],
    ],
  );
});

test("a question to a name server, and a peer outside by its name", async () => {
  const question = {
    ...packet,
    l4: { UDP: { source_port: 5353, destination_port: 53 } },
    destination: { identity: 2, labels: ["reserved:world"] },
    destination_names: ["api.example.com."],
    l7: { type: "RESPONSE", dns: { query: "Api.Example.com.", ips: ["203.0.113.9"], qtypes: ["A"], rcode: 3 } },
  };
  const { flows } = await readTexts({ "hubble.json": json(question) });
  assert.deepEqual(flows[0]?.dns, { name: "api.example.com", type: "A", code: "NXDOMAIN", addresses: ["203.0.113.9"] });
  assert.equal(flows[0].server.name, "api.example.com");
  assert.equal(flows[0].server.workload, null);
  assert.equal(flows[0].connections, 0);
});
