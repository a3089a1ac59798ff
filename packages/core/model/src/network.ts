import { z } from "zod";
import { nodeId } from "./agent.ts";
import type { ContainerRef } from "./container.ts";

export const flowProtocol = z.enum(["TCP", "UDP", "SCTP", "ICMP", "other"]);

/** `unknown`: the source does not tell, or the connection was still open. */
export const flowResults = ["established", "refused", "timed-out", "denied", "unknown"] as const;
export const flowResult = z.enum(flowResults);

const name = z.string().max(512);
const count = z.number().int().min(0);
const time = z.number().int().min(0);
/** Few different words: what is beyond is not kept. */
const words = z.array(z.string().max(256)).max(16);

/** A workload as it was when it was seen, never the later owner of its address. */
export const networkWorkload = z.strictObject({
  namespace: name,
  /** Of the Deployment, StatefulSet, … that owns the pod; of the container where there is no pod. */
  name: name.nullable(),
  kind: name.nullable(),
  pod: name.nullable(),
  labels: z.record(z.string().max(512), z.string().max(65_536)),
  serviceAccount: name.nullable(),
  node: name.nullable(),
});

/** One side of a flow. Without a workload it is outside of the cluster, or one of its nodes. */
export const networkEnd = z.strictObject({
  workload: networkWorkload.nullable(),
  ip: z.string().max(64).nullable(),
  /** The DNS name by which it was asked for, lower case, without the last dot. */
  name: name.nullable(),
});
export type NetworkEnd = z.infer<typeof networkEnd>;

const flowCounts = z.strictObject({
  connections: count,
  /** Records of flows, among them those that count no connection. */
  flows: count,
  /** From client to server. */
  bytesOut: count,
  bytesIn: count,
  /** Connections by how they ended. */
  results: z.record(flowResult, count),
  /** Of the connections, those in TLS. */
  encrypted: count,
});

const flowWords = z.strictObject({
  /** `1.2`, `1.3`. */
  tls: words,
  /** Protocols that were seen in clear text: `http`, `ftp`. */
  clear: words,
  /** Of the client. */
  processes: words,
  /** Policies, as whoever denied names them. */
  deniedBy: words,
});

const flowFacts = z.strictObject({
  ...flowCounts.shape,
  ...flowWords.shape,
  /** A password or token went by in clear text. */
  credential: z.boolean(),
  first: time,
  last: time,
});

/** What one client did with one port of one server within an hour, as the node of one of them saw it. */
export const flowHour = z.strictObject({
  /** Its beginning, milliseconds since the epoch. */
  hour: time,
  /** Who saw it: the client's node tells both ends that it knows; the server's node tells of clients elsewhere. */
  side: z.enum(["client", "server"]),
  client: networkEnd,
  server: networkEnd,
  /** Of the server; ICMP has none: 0. */
  port: z.number().int().min(0).max(65_535),
  protocol: flowProtocol,
  ...flowFacts.shape,
});
export type FlowHour = z.infer<typeof flowHour>;

/**
 * What the agent of a node saw between two times. Counts are of that time only, so that they may be added. What it saw and
 * could not keep, or did not see, is told as well.
 */
export const flowReport = z.strictObject({
  node: nodeId,
  from: time,
  until: time,
  flows: z.array(flowHour).max(2000),
  /** Flows without room, in the kernel and in the agent. */
  lost: count,
});
export type FlowReport = z.infer<typeof flowReport>;

export const networkGrain = z.enum(["namespace", "workload", "pod"]);
export type NetworkGrain = z.infer<typeof networkGrain>;

/**
 * What an end is found by: `shop/` at the grain of namespaces, `shop/web` of workloads, `shop/web/web-6d9f8` of pods; what
 * is no workload by its name, else its address. A container without a pod is of no namespace: `/redis`.
 */
export function networkEndKey({ workload, name: asked, ip }: NetworkEnd, grain: NetworkGrain): string {
  if (!workload) return part(asked ?? ip ?? "unknown");
  const { namespace, name: own, pod } = workload;
  if (grain === "namespace") return `${part(namespace)}/`;
  const key = `${part(namespace)}/${part(own ?? pod ?? "?")}`;
  return grain === "workload" ? key : `${key}/${part(pod ?? "*")}`;
}

/** Keys at the grain of pods that a key of any grain stands for: this one, or all that begin so. */
export function networkKeysOf(key: string): { exact: string } | { prefix: string } {
  const slashes = key.split("/").length - 1;
  if (slashes !== 1) return { exact: key };
  return { prefix: key.endsWith("/") ? key : `${key}/` };
}

/** A container as the end of a flow: its workload is the last of those that control its pod. */
export function containerEnd({ pod, name: own, id }: Pick<ContainerRef, "id" | "name" | "pod">): NetworkEnd {
  const workload = {
    namespace: pod?.namespace ?? "",
    name: pod ? (pod.metadata?.owners.at(-1)?.name ?? pod.name) : own || id.slice(0, 12),
    ...{ kind: null, pod: pod?.name ?? null, labels: {}, serviceAccount: null, node: null },
  };
  return { workload, ip: null, name: null };
}

function part(text: string): string {
  return text.replaceAll("/", "_");
}

/** An end as it is listed: `key` is what it is found by at the grain that was asked for. */
export const listedEnd = networkEnd.extend({
  /** See {@link networkEndKey}. */
  key: z.string().max(2048),
  cluster: z.string().max(128),
});
export type ListedEnd = z.infer<typeof listedEnd>;

/** What a cluster's policies say now. */
export const networkVerdict = z.strictObject({
  allowed: z.boolean(),
  /** The policy and rule that decided, for a person. */
  reason: z.string(),
});

/** A port of a server, as one client used it. */
export const networkPort = z.strictObject({
  port: z.number().int(),
  protocol: flowProtocol,
  connections: count,
  /** When it was seen first, ever. */
  firstSeen: time,
  isNew: z.boolean(),
  /** Null where the cluster's policies are not known, or can say nothing of it. */
  verdict: networkVerdict.nullable(),
});

/** All that two ends had to do with each other in the time that was asked for. */
export const networkEdge = z.strictObject({
  /** The same for the same two ends at the same grain, in any answer. */
  id: z.string(),
  client: listedEnd,
  server: listedEnd,
  /** Most connections first. */
  ports: z.array(networkPort),
  /** Ports beyond those. */
  morePorts: count,
  ...flowFacts.shape,
  /** When it was seen first, ever. */
  firstSeen: time,
  /** It, or a port of it, came within the last day of the time asked for, in a network that was watched a day before that. */
  isNew: z.boolean(),
  /** Open alerts of network detectors about a workload of either end. */
  alerts: count,
  /** Allowed where each port is; else the reason of the first that is not. */
  verdict: networkVerdict.nullable(),
});
export type NetworkEdge = z.infer<typeof networkEdge>;

/** A node that tells of flows, and when it did not. */
export const networkObserver = z.strictObject({
  node: nodeId,
  cluster: z.string().max(128),
  /** Within the time asked for. */
  from: time,
  until: time,
  /** It tells now. */
  live: z.boolean(),
  /** Flows that it, or the server, had no room for. */
  lost: count,
  /** Times in between of which nothing is known. */
  gaps: z.array(z.strictObject({ from: time, until: time })),
});
export type NetworkObserver = z.infer<typeof networkObserver>;

/** An hour of an edge at the grain of pods. */
export const storedFlow = flowHour.extend({
  id: z.string(),
  cluster: z.string().max(128),
  node: nodeId,
});
export type StoredFlow = z.infer<typeof storedFlow>;

/** Names one policy of a cluster; `namespace` is empty for those of the whole cluster. */
export const networkPolicyRef = z.strictObject({
  kind: z.string().min(1).max(128),
  namespace: z.string().max(256),
  name: z.string().min(1).max(256),
});
export type NetworkPolicyRef = z.infer<typeof networkPolicyRef>;

export const networkPolicyMode = z.enum(["observe", "enforce"]);
export const networkPolicyState = z.enum([
  /** Held against the flows that come; changes nothing. */
  "observing",
  /** Handed out: this server may not write to the cluster; somebody is to apply its text. */
  "handed-out",
  /** In the cluster; undone when nobody confirms it in time. */
  "published",
  "confirmed",
  /** The cluster is as it was before. */
  "undone",
  /** It was to be undone, and could not be: tried again. */
  "stuck",
]);

const step = z.strictObject({ time, by: z.string().max(256) });

/** Policies that somebody published from the console, together. */
export const networkPolicyDocument = z.strictObject({
  id: z.string(),
  cluster: z.string().max(128),
  mode: networkPolicyMode,
  state: networkPolicyState,
  /** YAML; empty where it only removes. */
  text: z.string(),
  /** What it adds or changes. */
  policies: z.array(networkPolicyRef),
  removed: z.array(networkPolicyRef),
  reason: z.string(),
  published: step,
  /** Until when it is to be confirmed; null where nothing is waited for. */
  confirmBefore: time.nullable(),
  confirmed: step.nullable(),
  /** `by` is `server` where nobody confirmed it. */
  undone: step.nullable(),
  /** Why it is not as it should be, and what would mend it; empty where it is. */
  problem: z.string(),
  remedy: z.string(),
});
export type NetworkPolicyDocument = z.infer<typeof networkPolicyDocument>;
