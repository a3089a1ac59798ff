/**
 * How long the page of the network waits: a cluster of 2,000 pods under 200 policies whose nodes told of 10,000 edges an hour
 * for a day, read as the console reads it, while agents go on telling. Every answer has a limit; a missed one fails the run.
 *
 *     npm run bench network-server
 *     HOURS=168 npm run bench network-server
 *     ENGINE=postgresql npm run bench network-server
 */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { collections } from "@bulwark/cluster";
import type { FlowHour, NetworkEnd } from "@bulwark/model";
import { eventually, fakeKubernetes, startPostgres, type FakeKubernetes, type FakeObject } from "@bulwark/testkit";
import { batchOf, post, startTestServer, type TestServer } from "../apps/server/src/server.fixture.ts";

const hours = Number(process.env["HOURS"] ?? 24);
const namespaces = 20;
const podsOfNamespace = 100;
const peersOfPod = 5;
const nodes = 20;
const policiesOfNamespace = 10;
const limitMs = 500;
const repeats = 7;
const hour = 3_600_000;
const now = Math.floor(Date.now() / hour) * hour;
const policyPath = "/apis/networking.k8s.io/v1/networkpolicies";

interface Row {
  what: string;
  bytes: number;
  first: number;
  median: number;
  slowest: number;
  limit: number;
  verdict: string;
}

const pods = Array.from({ length: namespaces * podsOfNamespace }, (_, index) => {
  const namespace = `team-${index % namespaces}`;
  const number = Math.floor(index / namespaces);
  const app = `app-${number % 20}`;
  return {
    namespace,
    app,
    name: `${app}-${number}`,
    ip: `10.${index >> 8}.${index & 255}.7`,
    node: `node-${index % nodes}`,
  };
});
type KnownPod = (typeof pods)[number];
const agents: Record<string, Promise<Record<string, string>>> = {};
let sent = 1;

await using fake = await fakeKubernetes();
fill(fake);
await using postgres = process.env["ENGINE"] === "postgresql" ? await startPostgres({ durable: true }) : undefined;
await using server = await startOn(fake, postgres?.url);
const person = await server.login();
await eventually("the inventory is complete", async () => {
  const { items } = await server.client(person).listKubeObjects({ query: { cluster: "east", kind: "Namespace" } });
  return items.length === namespaces || undefined;
});
await pause(3000);
for (let back = hours - 1; back >= 0; back--) await tellHour(server, now - back * hour);
// As the server does by itself once a minute.
await server.store.flows.prepare({ since: Date.now() - 24 * hour, until: Date.now() });

const text = JSON.stringify(policyOf("team-1", "app-3"));
const questions: [string, () => Promise<Response>][] = [
  ["map of workloads, a day", async () => ask("edges?grain=workload&limit=10000")],
  ["map of namespaces, a day", async () => ask("edges?grain=namespace&limit=10000")],
  ["table of pods, an hour", async () => ask(`edges?grain=pod&limit=10000&since=${now}`)],
  ["one namespace, a day", async () => ask("edges?grain=workload&namespace=team-1")],
  ["hours of one edge", async () => ask("flows?client=team-1/app-3&limit=100")],
  [
    "a policy tried on a day",
    async () => post(`${server.url}/api/v1/network/replay`, { cluster: "east", text, remove: [] }, person),
  ],
];
const over = new AbortController();
const telling = tellUntil(over.signal);
const rows: Row[] = [];
for (const [what, question] of questions) {
  rows.push(await timed(what, question));
}
over.abort();
await telling;
console.table(rows);
process.exitCode = rows.every(({ verdict }) => verdict === "kept") ? 0 : 1;

async function timed(what: string, question: () => Promise<Response>): Promise<Row> {
  const took: number[] = [];
  let bytes = 0;
  for (let round = 0; round < repeats; round++) {
    const begin = performance.now();
    const response = await question();
    bytes = (await response.arrayBuffer()).byteLength;
    took.push(performance.now() - begin);
    if (!response.ok) throw new Error(`${what}: ${response.status}`);
    await pause(200);
  }
  const sorted = took.toSorted((a, b) => a - b).map(Math.round);
  const middle = sorted[Math.floor(repeats / 2)] ?? Number.NaN;
  const [first = Number.NaN] = took;
  const verdict = middle <= limitMs ? "kept" : "missed";
  return {
    what,
    bytes,
    first: Math.round(first),
    median: middle,
    slowest: sorted.at(-1) ?? 0,
    limit: limitMs,
    verdict,
  };
}

async function ask(path: string): Promise<Response> {
  return fetch(`${server.url}/api/v1/network/${path}`, { headers: person });
}

/** Each node tells once a minute in truth; here one of them every 200 ms. */
async function tellUntil(end: AbortSignal): Promise<void> {
  for (let turn = 0; !end.aborted; turn++) {
    await tellNode(server, now, `node-${turn % nodes}`);
    await pause(200);
  }
}

async function tellHour(to: TestServer, at: number): Promise<void> {
  for (let index = 0; index < nodes; index++) await tellNode(to, at, `node-${index}`);
}

async function tellNode(to: TestServer, at: number, node: string): Promise<void> {
  const flows = pods.flatMap((pod, index) =>
    pod.node !== node
      ? []
      : Array.from({ length: peersOfPod }, (_, peer) =>
          flow(pod, pods[(index * 7 + peer * 131 + 1) % pods.length] ?? pod, 8000 + peer, at),
        ),
  );
  const headers = await (agents[node] ??= to.agent(`east/${node}`));
  const record = { type: "flows" as const, report: { node, from: at, until: at + 60_000, flows, lost: 0 } };
  const response = await post(
    `${to.url}/api/agent/v1/records`,
    batchOf([record], { node, spool: `s-${node}`, first: sent++ }),
    headers,
  );
  if (!response.ok) throw new Error(`not taken: ${response.status} ${await response.text()}`);
}
function flow(client: KnownPod, to: KnownPod, port: number, at: number): FlowHour {
  return {
    ...{ hour: at, side: "client", client: endOf(client), server: { workload: null, ip: to.ip, name: null } },
    ...{
      port,
      protocol: "TCP",
      connections: 4,
      flows: 2,
      bytesOut: 1000,
      bytesIn: 20_000,
      encrypted: 2,
      credential: false,
    },
    results: { established: 4, refused: 0, "timed-out": 0, denied: 0, unknown: 0 },
    ...{ tls: ["1.3"], clear: [], processes: [client.app], deniedBy: [], first: at + 1000, last: at + 50_000 },
  };
}

function endOf({ namespace, app, name, ip, node }: KnownPod): NetworkEnd {
  const workload = {
    namespace,
    name: app,
    kind: "StatefulSet",
    pod: name,
    labels: { app },
    serviceAccount: "default",
    node,
  };
  return { workload, ip, name: null };
}

function object(
  kind: string,
  name: string,
  change: object,
  meta: { namespace?: string; labels?: object; ownerReferences?: object[] } = {},
): FakeObject {
  const scope = meta.namespace ?? "";
  const metadata = {
    name,
    uid: `uid-${kind}-${scope}-${name}`,
    creationTimestamp: "2026-01-01T00:00:00Z",
    ...meta,
  };
  return { kind, apiVersion: "v1", metadata, ...change };
}

function policyOf(namespace: string, app: string): FakeObject {
  const from = [{ namespaceSelector: {}, podSelector: { matchLabels: { app } } }, { podSelector: {} }];
  const ports = [{ port: 8000, endPort: 8003, protocol: "TCP" }];
  const spec = { podSelector: { matchLabels: { app } }, policyTypes: ["Ingress"], ingress: [{ from, ports }] };
  const meta = { name: `of-${app}`, namespace, uid: `uid-${namespace}-${app}` };
  return { kind: "NetworkPolicy", apiVersion: "networking.k8s.io/v1", metadata: meta, spec };
}

function fill(kubernetes: FakeKubernetes): void {
  const names = Array.from({ length: namespaces }, (_, index) => `team-${index}`);
  kubernetes.put(collections.Namespace, ...names.map((name) => object("Namespace", name, {})));
  kubernetes.put(collections.Node, ...Array.from({ length: nodes }, (_, index) => object("Node", `node-${index}`, {})));
  kubernetes.put(
    collections.Pod,
    ...pods.map(({ namespace, app, name, ip, node }) => {
      const owner = { kind: "StatefulSet", apiVersion: "apps/v1", name: app, uid: `o-${app}`, controller: true };
      const status = {
        phase: "Running",
        podIP: ip,
        containerStatuses: [{ name: "c", state: { running: {} }, containerID: "containerd://1" }],
      };
      const spec = { nodeName: node, containers: [{ name: "c", image: "c:1" }] };
      return object("Pod", name, { spec, status }, { namespace, labels: { app }, ownerReferences: [owner] });
    }),
  );
  for (const name of names)
    for (let index = 0; index < policiesOfNamespace; index++)
      kubernetes.put(policyPath, policyOf(name, `app-${index}`));
}

async function startOn(kubernetes: FakeKubernetes, database?: string): Promise<TestServer> {
  const data = await mkdtemp(join(tmpdir(), "bulwark-network-"));
  const kubeconfig = join(data, "kubeconfig");
  await writeFile(
    kubeconfig,
    JSON.stringify({
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      clusters: [{ name: "c", cluster: { server: kubernetes.url } }],
      users: [{ name: "u", user: { token: "t" } }],
    }),
  );
  const clusters = JSON.stringify([{ name: "east", kubeconfig }]);
  const own = database === undefined ? "" : `, database: "${database}"`;
  // What a server does once in hours, of two cores, would be measured else.
  const limits = { surveyFirst: 2 ** 31 - 1, clusterCheckFirst: 2 ** 31 - 1 };
  return startTestServer({ data, limits, yaml: `server: { port: 0${own}, kubernetes: { clusters: ${clusters} } }` });
}
