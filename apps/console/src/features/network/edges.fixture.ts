import type { ListedEnd, NetworkEdge } from "@bulwark/model";

/** An end as the server lists it: `shop/web`, or outside by a name. */
export function endOf(text: string, cluster = "east"): ListedEnd {
  const slash = text.indexOf("/");
  if (slash === -1) return { key: text, cluster, workload: null, ip: null, name: text };
  const [namespace, name] = [text.slice(0, slash), text.slice(slash + 1)];
  const workload = { namespace, name, kind: "Deployment", pod: null, labels: {}, serviceAccount: null, node: null };
  return { key: text, cluster, workload, ip: null, name: null };
}

export function edgeOf(from: string, to: string, change: Partial<NetworkEdge> = {}): NetworkEdge {
  const connections = change.connections ?? 10;
  return {
    id: `${from} ${to}`,
    client: endOf(from),
    server: endOf(to),
    ports: [{ port: 443, protocol: "TCP", connections, firstSeen: 0, isNew: false, verdict: null }],
    ...{ morePorts: 0, connections, flows: connections, bytesOut: 100, bytesIn: 200 },
    results: { established: connections, refused: 0, "timed-out": 0, denied: 0, unknown: 0 },
    ...{ encrypted: 0, tls: [], clear: [], processes: [], deniedBy: [], credential: false },
    ...{ first: 0, last: 0, firstSeen: 0, isNew: false, alerts: 0, verdict: null },
    ...change,
  };
}

/** The same each time: `count` edges among workloads of 40 namespaces and names outside. */
export function manyEdges(workloads: number, count: number): NetworkEdge[] {
  const random = randomOf(7);
  const namespaces = 40;
  const nameOf = (n: number): string => `team-${n % namespaces}/service-${Math.floor(n / namespaces)}`;
  const edges = new Map<string, NetworkEdge>();
  while (edges.size < count) {
    const from = random(workloads);
    // Most stay within their namespace.
    const near = (from + namespaces * (1 + random(6))) % workloads;
    const to =
      random(10) < 6 ? nameOf(near) : random(10) === 0 ? `api-${random(60)}.example.com` : nameOf(random(workloads));
    if (to === nameOf(from)) continue;
    edges.set(`${from} ${to}`, edgeOf(nameOf(from), to, { connections: 1 + random(1000), isNew: random(50) === 0 }));
  }
  return [...edges.values()];
}

/** Numbers below a limit: a linear congruence with the constants of Numerical Recipes. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
