import { endKey, type Edge, type End } from "@bulwark/flow";
import {
  createEvaluator,
  decisionText,
  type Cluster,
  type EvaluatorOptions,
  type Pod,
  type Problem,
} from "@bulwark/netpol";
import { portProtocol, unfit, type Unfit } from "./eligible.ts";

/** Of an edge, all that policies ask about. */
export type JudgedEdge = Pick<Edge, "client" | "server" | "port" | "protocol">;

/** What policies say of an edge. */
export interface Verdict {
  readonly allowed: boolean;
  /** The side that denies; the client's where both do, or none does. */
  readonly side: "egress" | "ingress";
  /** Which policy decided and why, for a person; of the side that denies, else of the server's. */
  readonly reason: string;
}

export interface Judgement {
  /** In the order of the edges; why not, where policies can say nothing of one. */
  readonly verdicts: readonly (Verdict | Unfit)[];
  readonly problems: readonly Problem[];
}

/**
 * What policies say of edges at the grain of pods. `cluster` has the policies, and what is known of pods, namespaces and
 * nodes; pods of the edges are added to it as they were then.
 */
export function judge(edges: readonly JudgedEdge[], cluster: Cluster, options: EvaluatorOptions = {}): Judgement {
  const stage = createStage(edges, cluster);
  const evaluator = createEvaluator(stage.cluster, {
    ...options,
    domains: { ...domainsOf(edges), ...options.domains },
  });
  const verdicts = edges.map((edge): Verdict | Unfit => {
    const reason = unfit(edge);
    if (reason !== undefined) return reason;
    const protocol = portProtocol(edge.protocol) ?? "TCP";
    const query = { from: stage.endOf(edge.client), to: stage.endOf(edge.server), port: edge.port, protocol };
    const { allowed, egress, ingress } = evaluator.connection(query);
    const side = allowed || !egress.allowed ? "egress" : "ingress";
    return { allowed, side, reason: decisionText(egress.allowed ? ingress : egress) };
  });
  return { verdicts, problems: evaluator.problems };
}

/** The pods of the flows beside those of the cluster, and how an end is called there. */
function createStage(edges: readonly JudgedEdge[], cluster: Cluster): { cluster: Cluster; endOf(end: End): string } {
  const names = new Map<string, string>();
  /** The same, without making a key of each end again. */
  const ends = new Map<End, string>();
  const pods: Pod[] = [...cluster.pods];
  const known = new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod]));
  const taken = new Set(known.keys());
  const addresses = new Set(pods.flatMap(({ ips = [] }) => ips));
  const namespaces = new Map(cluster.namespaces.map((namespace) => [namespace.name, namespace]));
  for (const edge of edges) {
    if (unfit(edge) !== undefined) continue;
    enter(edge.client);
    enter(edge.server);
  }

  function enter(end: End): void {
    if (!end.workload || ends.has(end)) return;
    const key = endKey(end, "pod");
    const name = names.get(key) ?? stand(end, end.workload);
    names.set(key, name);
    ends.set(end, name);
  }

  function stand({ ip }: End, workload: NonNullable<End["workload"]>): string {
    const { namespace, labels, serviceAccount } = workload;
    const plain = workload.pod ?? workload.name ?? "";
    const now = workload.pod === null ? undefined : known.get(`${namespace}/${plain}`);
    if (now && isAsBefore(now, ip, workload)) return `${namespace}/${plain}`;
    // Of a pod that is gone its workload's template may be known, and with it the names of its ports.
    const { ports = [], hostNetwork = false } =
      known.get(`${namespace}/${plain}`) ?? known.get(`${namespace}/${workload.name ?? ""}`) ?? {};
    // A pod that was there with other labels, or another of the same name, is another.
    let name = plain;
    for (let number = 2; taken.has(`${namespace}/${name}`); number++) name = `${plain}~${number}`;
    taken.add(`${namespace}/${name}`);
    const ips = ip === null || addresses.has(ip) ? [] : [ip];
    for (const address of ips) addresses.add(address);
    const account = serviceAccount === null ? {} : { serviceAccount };
    pods.push({ namespace, name, labels, ips, ports, hostNetwork, ...account });
    if (!namespaces.has(namespace)) namespaces.set(namespace, { name: namespace });
    return `${namespace}/${name}`;
  }

  return {
    cluster: { ...cluster, pods, namespaces: [...namespaces.values()] },
    endOf: (end) => (end.workload ? (ends.get(end) ?? "") : (end.ip ?? "")),
  };
}

/** A pod that is still what it was when it was seen; most are. */
function isAsBefore(pod: Pod, ip: string | null, seen: NonNullable<End["workload"]>): boolean {
  const { labels = {}, ips = [], serviceAccount } = pod;
  const names = Object.keys(labels);
  return (
    (ip === null || ips.includes(ip)) &&
    (seen.serviceAccount === null || seen.serviceAccount === serviceAccount) &&
    names.length === Object.keys(seen.labels).length &&
    names.every((name) => labels[name] === seen.labels[name])
  );
}

/** The addresses that each name had in these flows. */
function domainsOf(edges: readonly JudgedEdge[]): Record<string, string[]> {
  const domains = new Map<string, Set<string>>();
  for (const { client, server } of edges) {
    for (const { workload, name, ip } of [client, server]) {
      if (workload || name === null || ip === null) continue;
      domains.set(name, (domains.get(name) ?? new Set()).add(ip));
    }
  }
  return Object.fromEntries([...domains].map(([name, ips]) => [name, [...ips]]));
}
