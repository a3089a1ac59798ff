import { splitNodeId, type AgentRecord, type FlowHour } from "@bulwark/model";
import { fakeKubernetes, type FakeKubernetes, type FakeObject } from "@bulwark/testkit";
import type { World } from "./world.ts";

const hour = 3_600_000;
/** Of one record, and of one batch, as agents send them. */
const mostFlows = 500;
const mostRecords = 4;

type End = FlowHour["client"];
type Change = Partial<Omit<FlowHour, "client" | "server" | "port">>;

/** A workload of the cluster: `shop/web` has pods `web-6d9f8c7b5-0`, … */
export function workload(text: string, pod = 0): End {
  const [namespace = "", name = ""] = text.split("/");
  const labels = { app: name, "app.kubernetes.io/part-of": namespace };
  const own = { namespace, name, kind: "Deployment", pod: `${name}-6d9f8c7b5-${pod}`, labels };
  return {
    workload: { ...own, serviceAccount: "default", node: "node-a" },
    ip: addressOf(`${text} ${pod}`),
    name: null,
  };
}

function outside(name: string | null, ip: string): End {
  return { workload: null, ip, name };
}

/** What one client did with a port of a server, `ago` hours before now. */
export function flowHour(client: End, server: End, port: number, ago: number, change: Change = {}): FlowHour {
  const at = Math.floor(Date.now() / hour) * hour - ago * hour;
  const last = Math.min(Date.now(), at + hour - 1000);
  const connections = change.connections ?? 12;
  return {
    ...{ hour: at, side: "client", client, server, port, protocol: "TCP", connections, flows: connections },
    ...{ bytesOut: connections * 640, bytesIn: connections * 5200 },
    results: { established: connections, refused: 0, "timed-out": 0, denied: 0, unknown: 0 },
    ...{ encrypted: 0, tls: [], clear: [], processes: ["app"], deniedBy: [], credential: false },
    // In the first minute of an hour, what would be later in it is not asked for yet.
    ...{ first: Math.min(at + 60_000, last), last },
    ...change,
  };
}

const tls = (connections: number): Change => ({ connections, encrypted: connections, tls: ["1.3"] });

/** A shop with a shop's traffic, of the last day; some of it as nobody wants it. */
export function shopFlows(): FlowHour[] {
  const ordinary: [from: End, to: End, port: number, change: Change][] = [
    [outside(null, "203.0.113.24"), workload("edge/gateway"), 443, tls(420)],
    [outside(null, "198.51.100.7"), workload("edge/gateway"), 443, tls(37)],
    [workload("edge/gateway"), workload("shop/web"), 8080, { connections: 450, processes: ["envoy"] }],
    [workload("shop/web"), workload("shop/cart"), 8080, { connections: 210, processes: ["node"] }],
    [workload("shop/web", 1), workload("shop/cart"), 8080, { connections: 190, processes: ["node"] }],
    [
      workload("shop/web"),
      workload("shop/catalogue"),
      8080,
      { connections: 380, clear: ["http"], processes: ["node"] },
    ],
    [workload("shop/cart"), workload("data/redis"), 6379, { connections: 640, processes: ["cart"] }],
    [workload("shop/catalogue"), workload("data/postgres"), 5432, { ...tls(96), processes: ["java"] }],
    [workload("shop/checkout"), workload("data/postgres"), 5432, { ...tls(44), processes: ["java"] }],
    [workload("shop/cart"), workload("shop/checkout"), 8443, { ...tls(61), processes: ["cart"] }],
    [workload("shop/checkout"), workload("pay/api"), 8443, { ...tls(58), processes: ["java"] }],
    [workload("pay/api"), outside("api.bank.example", "192.0.2.10"), 443, { ...tls(55), processes: ["pay"] }],
    [workload("pay/api"), workload("data/postgres"), 5432, { ...tls(57), processes: ["pay"] }],
    [workload("pay/worker"), workload("data/redis"), 6379, { connections: 24, processes: ["worker"] }],
    [workload("monitoring/prometheus"), workload("shop/web"), 9090, { connections: 60, clear: ["http"] }],
    [workload("monitoring/prometheus"), workload("shop/cart"), 9090, { connections: 60, clear: ["http"] }],
    [workload("monitoring/prometheus"), workload("pay/api"), 9090, { connections: 60, clear: ["http"] }],
    [workload("monitoring/prometheus"), workload("data/postgres"), 9187, { connections: 60, clear: ["http"] }],
    [workload("monitoring/grafana"), workload("monitoring/prometheus"), 9090, { connections: 18 }],
    [workload("shop/web"), workload("kube-system/coredns"), 53, { connections: 900, protocol: "UDP" }],
    [workload("pay/api"), workload("kube-system/coredns"), 53, { connections: 130, protocol: "UDP" }],
    [
      workload("data/backup"),
      outside("s3.eu-central-1.example.com", "192.0.2.80"),
      443,
      { ...tls(8), processes: ["restic"] },
    ],
    [
      workload("lab/legacy"),
      outside("ftp.partner.example", "192.0.2.33"),
      21,
      { connections: 3, clear: ["ftp"], credential: true },
    ],
  ];
  const denied = { established: 0, refused: 0, "timed-out": 0, denied: 14, unknown: 0 };
  return [
    ...ordinary.flatMap(([from, to, port, change]) =>
      Array.from({ length: 40 }, (_, ago) => {
        const busy = 0.35 + 0.65 * Math.abs(Math.sin((ago + port) / 5));
        return flowHour(from, to, port, ago, scaled(change, busy));
      }),
    ),
    flowHour(workload("lab/probe"), workload("data/postgres"), 5432, 1, {
      ...{ connections: 14, results: denied, deniedBy: ["data/only-shop"], processes: ["nc"] },
    }),
    flowHour(workload("lab/probe"), workload("pay/api"), 8443, 0, { connections: 2, processes: ["curl"] }),
    flowHour(workload("shop/web"), outside("paste.example.net", "192.0.2.66"), 443, 0, {
      ...tls(3),
      processes: ["sh"],
    }),
  ];
}

function scaled(change: Change, by: number): Change {
  const connections = Math.max(1, Math.round((change.connections ?? 12) * by));
  const results = { established: connections, refused: 0, "timed-out": 0, denied: 0, unknown: 0 };
  return {
    ...change,
    connections,
    flows: connections,
    results,
    encrypted: change.encrypted === undefined ? 0 : connections,
  };
}

/** The same each time: a cluster of so many workloads in 40 namespaces, and so many pairs that talk. */
export function manyFlows(workloads: number, pairs: number): FlowHour[] {
  let state = 7;
  // Numerical Recipes' linear congruence.
  const random = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const namespaces = 40;
  const nameOf = (n: number): string =>
    `${teams[n % teams.length] ?? "team"}-${(n % namespaces) + 1}/service-${Math.floor(n / namespaces)}`;
  const flows = new Map<string, FlowHour>();
  const known = new Set<string>();
  while (known.size < pairs) {
    const from = random(workloads);
    const kind = random(1000);
    const near = (from + namespaces * (1 + random(4))) % workloads;
    // Most stay at home; some go to a few teams that serve all; few go anywhere.
    const served = (random(3) + 37) % namespaces;
    const to =
      kind < 880 ? near : kind < 970 ? served + namespaces * random(4) : kind < 985 ? random(workloads) : undefined;
    if (to === from) continue;
    const peer =
      to === undefined ? outside(`api-${random(80)}.example.com`, `192.0.2.${random(250) + 1}`) : workload(nameOf(to));
    const connections = 1 + random(400);
    const port = to === undefined ? 443 : ([8080, 8443, 5432, 6379, 9090][from % 5] ?? 8080);
    const change = port === 443 || port === 8443 ? tls(connections) : { connections };
    const pair = `${from} ${peer.name ?? String(to)}`;
    const isNew = random(200) === 0;
    for (const ago of isNew ? [random(20)] : [random(20), 30 + random(10)]) {
      flows.set(`${pair} ${ago}`, flowHour(workload(nameOf(from)), peer, port, ago, change));
    }
    known.add(pair);
  }
  return [...flows.values()];
}

const teams = ["shop", "pay", "data", "search", "media", "risk", "ml", "ops"];

/** Sends flows as the agent of a node does that has watched for two days. */
export async function sendFlows({ send }: World, node: string, flows: readonly FlowHour[]): Promise<void> {
  const records: AgentRecord[] = [];
  const parts = Math.max(1, Math.ceil(flows.length / mostFlows));
  const [start, end] = [Date.now() - 48 * hour, Date.now() - 1000];
  for (let part = 0; part < parts; part++) {
    const time = (of: number): number => Math.round(start + ((end - start) * of) / parts);
    const report = {
      node: splitNodeId(node).name,
      from: time(part),
      until: time(part + 1),
      flows: flows.slice(part * mostFlows, (part + 1) * mostFlows),
      lost: 0,
    };
    records.push({ type: "flows", report });
  }
  for (let at = 0; at < records.length; at += mostRecords) await send(node, records.slice(at, at + mostRecords));
}

function addressOf(text: string): string {
  let hash = 7;
  for (const character of text) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return `10.${(hash >> 16) & 255}.${(hash >> 8) & 255}.${(hash & 253) + 1}`;
}

/** A cluster that has a few network policies, as its API server tells of it. */
export async function networkCluster(): Promise<FakeKubernetes> {
  const fake = await fakeKubernetes();
  const names = ["edge", "shop", "pay", "data", "monitoring", "lab", "kube-system"];
  fake.put("/api/v1/namespaces", ...names.map((name) => object("v1", "Namespace", name, {})));
  const from = (...namespaces: string[]) => ({
    from: namespaces.map((name) => ({ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } })),
  });
  const policy = (namespace: string, name: string, app: string | null, ...peers: string[]): FakeObject =>
    object("networking.k8s.io/v1", "NetworkPolicy", name, {
      metadata: { namespace },
      spec: {
        podSelector: app === null ? {} : { matchLabels: { app } },
        policyTypes: ["Ingress"],
        ingress: [from(...peers)],
      },
    });
  fake.put(
    "/apis/networking.k8s.io/v1/networkpolicies",
    policy("data", "shops-and-pay", null, "shop", "pay", "monitoring"),
    policy("pay", "api", "api", "shop", "monitoring"),
    policy("shop", "from-edge", "web", "edge", "monitoring"),
    policy("shop", "within", "cart", "shop", "monitoring"),
  );
  return fake;
}

function object(
  apiVersion: string,
  kind: string,
  name: string,
  { metadata = {}, ...change }: { metadata?: object; spec?: object },
): FakeObject {
  const own = { name, uid: `uid-${kind}-${name}`, creationTimestamp: "2026-01-01T00:00:00Z", ...metadata };
  return { kind, apiVersion, metadata: own, ...change };
}
