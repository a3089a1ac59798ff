import { hash } from "node:crypto";
import type { ListedEnd, NetworkEdge, NetworkGrain } from "@bulwark/model";
import type { FlowSum } from "@bulwark/store";
import { endKey } from "./end-key.ts";
import { addCounts } from "./sums.ts";

const mostPorts = 64;
const mostWords = 16;
const day = 86_400_000;

type Verdict = NetworkEdge["verdict"];
type Port = NetworkEdge["ports"][number];

export interface EdgeOptions {
  readonly grain: NetworkGrain;
  readonly until: number;
  /** When pairs were first seen. */
  readonly firstSeen: ReadonlyMap<string, number>;
  /** When each cluster's flows were first told of. */
  readonly began: ReadonlyMap<string, number>;
  verdictOf(sum: FlowSum): Verdict;
  /** Open alerts by cluster and key of the workload. */
  readonly alerts: ReadonlyMap<string, number>;
}

/** What pods did, by pairs of ends at a grain. */
export function edgesOf(sums: readonly FlowSum[], options: EdgeOptions): NetworkEdge[] {
  const edges = new Map<string, { edge: NetworkEdge; ports: Map<string, Port>; workloads: Set<string> }>();
  for (const sum of sums) {
    const { cluster } = sum;
    const [client, server] = [keyOf(sum, "client", options.grain), keyOf(sum, "server", options.grain)];
    const key = `${cluster}\n${client}\n${server}`;
    let known = edges.get(key);
    if (!known) {
      known = { edge: begun(sum, key, client, server, options.grain), ports: new Map(), workloads: new Set() };
      edges.set(key, known);
    }
    add(known.edge, sum);
    addPort(known.ports, sum, options);
    for (const end of ["client", "server"] as const) {
      if (sum[end].workload) known.workloads.add(`${cluster}\n${keyOf(sum, end, "workload")}`);
    }
  }
  return Array.from(edges.values(), ({ edge, ports, workloads }) => finish(edge, ports, workloads, options));
}

function keyOf(sum: FlowSum, end: "client" | "server", grain: NetworkGrain): string {
  return endKey(sum[end], grain);
}

function begun(sum: FlowSum, key: string, client: string, server: string, grain: NetworkGrain): NetworkEdge {
  return {
    id: hash("sha256", `${grain}\n${key}`, "hex").slice(0, 24),
    client: listed(sum, "client", client, grain),
    server: listed(sum, "server", server, grain),
    ...{ ports: [], morePorts: 0, connections: 0, flows: 0, bytesOut: 0, bytesIn: 0, encrypted: 0, credential: false },
    results: { established: 0, refused: 0, "timed-out": 0, denied: 0, unknown: 0 },
    ...{ tls: [], clear: [], processes: [], deniedBy: [], first: sum.first, last: sum.last },
    ...{ firstSeen: sum.first, isNew: false, alerts: 0, verdict: null },
  };
}

/** Without what is of one pod, where it stands for several. */
function listed(sum: FlowSum, which: "client" | "server", key: string, grain: NetworkGrain): ListedEnd {
  const end = sum[which];
  const { workload } = end;
  const own = { ...end, key, cluster: sum.cluster };
  if (!workload || grain === "pod") return own;
  const { namespace, name, pod, kind } = workload;
  const none = { pod: null, node: null, ...(grain === "namespace" ? { labels: {}, serviceAccount: null } : {}) };
  const called = grain === "namespace" ? { name: null, kind: null } : { name: name ?? pod, kind };
  return { ...own, ip: null, name: null, workload: { ...workload, namespace, ...called, ...none } };
}

function add(edge: NetworkEdge, sum: FlowSum): void {
  addCounts(edge, sum);
  edge.credential ||= sum.credential;
  for (const name of ["tls", "clear", "processes", "deniedBy"] as const) {
    for (const word of sum[name])
      if (!edge[name].includes(word) && edge[name].length < mostWords) edge[name].push(word);
  }
}

function addPort(ports: Map<string, Port>, sum: FlowSum, { firstSeen, verdictOf }: EdgeOptions): void {
  const { port, protocol, connections } = sum;
  const key = `${port}/${protocol}`;
  const seen = Math.min(firstSeen.get(sum.pair) ?? sum.first, sum.first);
  const verdict = verdictOf(sum);
  const known = ports.get(key);
  if (!known) {
    ports.set(key, { port, protocol, connections, firstSeen: seen, isNew: false, verdict });
    return;
  }
  known.connections += connections;
  known.firstSeen = Math.min(known.firstSeen, seen);
  if (verdict && (known.verdict === null || (known.verdict.allowed && !verdict.allowed))) known.verdict = verdict;
}

function finish(
  edge: NetworkEdge,
  ports: Map<string, Port>,
  workloads: ReadonlySet<string>,
  { until, began, alerts }: EdgeOptions,
): NetworkEdge {
  // In a network that nobody watched before everything would be new.
  const watched = began.get(edge.client.cluster) ?? until;
  const isNew = (seen: number): boolean => seen >= until - day && seen >= watched + day;
  const all = [...ports.values()]
    .map((port) => ({ ...port, isNew: isNew(port.firstSeen) }))
    .sort((a, b) => b.connections - a.connections || a.port - b.port);
  const judged = all.flatMap(({ verdict }) => verdict ?? []);
  return {
    ...edge,
    ports: all.slice(0, mostPorts),
    morePorts: Math.max(0, all.length - mostPorts),
    firstSeen: Math.min(...all.map(({ firstSeen }) => firstSeen)),
    isNew: all.some((port) => port.isNew),
    alerts: [...workloads].reduce((sum, key) => sum + (alerts.get(key) ?? 0), 0),
    verdict: judged.find(({ allowed }) => !allowed) ?? judged[0] ?? null,
  };
}

/** Whether a text is in what is shown of an edge. */
export function mentions({ client, server, processes, deniedBy, ports }: NetworkEdge, text: string): boolean {
  const words = [client.key, server.key, client.ip, server.ip, client.name, server.name, ...processes, ...deniedBy];
  const numbers = ports.map(({ port, protocol }) => `${protocol} ${port}`);
  return [...words, ...numbers].some((word) => word?.toLowerCase().includes(text.toLowerCase()) ?? false);
}
