import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { collections } from "@bulwark/cluster";
import type { Client } from "@bulwark/contract";
import type { Component, FlowHour, NetworkEnd } from "@bulwark/model";
import { fakeKubernetes, type FakeKubernetes, type FakeObject } from "@bulwark/testkit";
import { object, startServerOf, until } from "../kubernetes/cluster.fixture.ts";
import { batchOf, type TestServer } from "../server.fixture.ts";

const hour = 3_600_000;
const now = Math.floor(Date.now() / hour) * hour - hour;

let fake: FakeKubernetes;
let server: TestServer;
let person: Client;
let sent: number;

beforeEach(async () => {
  sent = 1;
  fake = await fakeKubernetes();
  fake.put(collections.Namespace, object("Namespace", "kube-system"), object("Namespace", "shop"));
  fake.put(collections.Node, object("Node", "node-1"), object("Node", "node-2"));
  fake.put(collections.Pod, pod("web-0", "node-1", "10.0.0.1"), pod("db-0", "node-2", "10.0.0.2"));
  server = await startServerOf(fake, { clusterFlush: 20, clusterStatus: 50 });
  person = server.client(await server.login());
  await until("all of it is known", async () => {
    const { items } = await person.listClusters();
    return items[0]?.state === "ok" && items[0].syncedAt !== null;
  });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
});

function pod(name: string, nodeName: string, podIP: string, uid = `uid-Pod-${name}`): FakeObject {
  const app = name.split("-")[0] ?? name;
  const controller = { kind: "StatefulSet", apiVersion: "apps/v1", name: app, uid: `uid-${app}`, controller: true };
  const meta = { uid, namespace: "shop", labels: { app }, ownerReferences: [controller] };
  const status = { phase: "Running", podIP };
  return object("Pod", name, { spec: { nodeName, containers: [{ name: "c", image: "c:1" }] }, status }, meta);
}

/** As an agent tells of a pod of its own: with labels of its choice. */
function told(name: string, node: string, labels: Record<string, string> = {}, namespace = "shop"): NetworkEnd {
  const workload = { namespace, name, kind: "Deployment", pod: `${name}-0`, labels, serviceAccount: "root", node };
  return { workload, ip: "10.0.0.9", name: null };
}

async function tell(node: string, client: NetworkEnd, port: number): Promise<void> {
  const results = { established: 1, refused: 0, "timed-out": 0, denied: 0, unknown: 0 };
  const flow: FlowHour = {
    ...{ hour: now, side: "client", client, server: { workload: null, ip: "10.0.0.2", name: null }, port },
    ...{ protocol: "TCP", connections: 1, flows: 1, bytesOut: 1, bytesIn: 1, encrypted: 0, credential: false, results },
    ...{ tls: [], clear: [], processes: [], deniedBy: [], first: now + 1000, last: now + 1000 },
  };
  const report = { node, from: now, until: now + hour, flows: [flow], lost: 0 };
  const agent = server.client(await server.agent(`east/${node}`));
  await agent.ingest({ body: batchOf([{ type: "flows", report }], { node, spool: node, first: sent++ }) });
}

/** Who connected to a port. */
async function clientOf(port: number): Promise<NetworkEnd["workload"] | string> {
  const { items } = await person.listNetworkFlows({ query: { port } });
  const [one] = items;
  return one?.client.workload ?? one?.client.ip ?? "nobody";
}

async function learn(): ReturnType<Client["learnNetworkPolicies"]> {
  const body = { cluster: "east", namespaces: [], grain: "workload" as const, names: false, dns: true };
  return person.learnNetworkPolicies({ body });
}

async function health(): Promise<Component | undefined> {
  return (await person.getHealth()).components.find(({ id }) => id === "flow-claims");
}

test("labels, owner and account of a pod are the API server's, whatever its node calls them", async () => {
  await tell("node-1", told("web", "node-1", { app: "db", admin: "yes" }), 1);
  assert.deepEqual(await clientOf(1), {
    ...{ namespace: "shop", name: "web", kind: "StatefulSet", pod: "web-0", labels: { app: "web" } },
    ...{ serviceAccount: "default", node: "east/node-1" },
  });
  assert.equal((await health())?.state, "ok");
});

test("a pod of another node, or a workload without one, is not its own: nobody's, and that is told", async () => {
  await tell("node-1", told("db", "node-1", { app: "db" }), 2);
  assert.equal(await clientOf(2), "10.0.0.9");
  const bare = told("db", "node-1", { app: "db" });
  await tell("node-1", { ...bare, workload: bare.workload && { ...bare.workload, pod: null } }, 3);
  assert.equal(await clientOf(3), "10.0.0.9");
  const { state, reason, remedy } = (await health()) ?? {};
  assert.equal(state, "failed");
  assert.match(reason ?? "", /east\/node-1 .*shop\/db.* \(2 flows\)/);
  assert.notEqual(remedy, "");
  // What nobody said is not learned.
  const { candidates } = await learn();
  assert.ok(candidates.every(({ name, rules }) => name === "db" && rules.every(({ peer }) => peer === "10.0.0.9")));
});

test("a pod that nobody else knows has its name alone, opens nothing, and is known when its cluster says so", async () => {
  await tell("node-1", told("new", "node-1", { app: "web" }), 4);
  const unknown = { namespace: "shop", pod: "new-0", node: "east/node-1", name: null, kind: null, labels: {} };
  assert.deepEqual(await clientOf(4), { ...unknown, serviceAccount: null });
  const learned = await learn();
  assert.deepEqual(learned.candidates, []);
  assert.deepEqual(learned.skipped, { "a pod that the API server does not know": 1 });
  assert.equal((await health())?.state, "ok");

  fake.put(collections.Pod, pod("new-0", "node-1", "10.0.0.9"));
  await until("it is known", async () => {
    const { items } = await person.listKubeObjects({ query: { kind: "Pod", q: "new-0" } });
    return items.length === 1;
  });
  await until("its agent's word is its cluster's", async () => {
    await tell("node-1", told("new", "node-1"), 5);
    const { items } = await person.listNetworkFlows({ query: { port: 5 } });
    return items.some(({ client: { workload } }) => workload?.name === "new" && workload.labels["app"] === "new");
  });
});

test("a pod that moved to another node was its former node's, for flows of before", async () => {
  fake.remove(collections.Pod, "uid-Pod-web-0");
  fake.put(collections.Pod, pod("web-0", "node-2", "10.0.0.3", "uid-second"));
  await until("it has moved", async () => {
    const { items } = await person.listKubeObjects({ query: { kind: "Pod", q: "web-0" } });
    return items[0]?.node === "node-2";
  });
  await tell("node-1", told("web", "node-1"), 6);
  await tell("node-2", told("web", "node-2"), 7);
  for (const port of [6, 7]) {
    const workload = await clientOf(port);
    assert.ok(typeof workload === "object", String(port));
    assert.equal(workload?.name, "web");
  }
  assert.equal((await health())?.state, "ok");
});

test("while the API server is away, and of a node that it does not know, nothing is held against anybody", async () => {
  await tell("node-3", told("db", "node-3", { app: "db" }), 8);
  assert.deepEqual(await clientOf(8), { ...told("db", "node-3", { app: "db" }).workload, node: "east/node-3" });
  assert.equal((await health())?.state, "ok");
});
