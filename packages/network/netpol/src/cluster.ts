import { parseAddress, type Address } from "./address.ts";
import { limits, NetpolError, type Problem } from "./error.ts";
import type { ContainerPort } from "./ports.ts";

export interface Namespace {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A pod, or a workload's template that stands for all of its pods. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  /** `Pod`, or the kind of the workload whose template it is. */
  readonly kind?: string;
  /** The Deployment, StatefulSet, … whose pod it is, where that is known. */
  readonly workload?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ips?: readonly string[];
  readonly ports?: readonly ContainerPort[];
  /** On the network of its node: no policy selects it, as subject or as peer. */
  readonly hostNetwork?: boolean;
  readonly serviceAccount?: string;
}

/** Only its addresses and labels matter here. */
export interface ClusterNode {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ips?: readonly string[];
}

/** All that policies look at. `policies` are objects as the API server has them, or files do. */
export interface Cluster {
  readonly namespaces: readonly Namespace[];
  readonly pods: readonly Pod[];
  readonly policies: readonly unknown[];
  readonly nodes?: readonly ClusterNode[];
}

/** Pods that no selector can tell apart. */
export interface LabelGroup {
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly hostNetwork: boolean;
  readonly serviceAccount: string;
  readonly ports: readonly ContainerPort[];
  readonly pods: number[];
}

export interface Census {
  readonly pods: readonly Pod[];
  /** `namespace/name` → position in `pods`. */
  readonly byName: ReadonlyMap<string, number>;
  readonly addresses: readonly (readonly Address[])[];
  readonly namespaces: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly groups: readonly LabelGroup[];
  readonly nodes: readonly { readonly labels: ReadonlyMap<string, string>; readonly addresses: readonly Address[] }[];
  readonly problems: readonly Problem[];
}

/** Counts the cluster: who is there, under which labels, with which addresses. */
export function takeCensus({ namespaces: listed, pods, nodes = [] }: Cluster): Census {
  if (pods.length > limits.pods) {
    throw new NetpolError("too-large", `${pods.length} pods; at most ${limits.pods} are taken`, {
      remedy: "give workloads instead of their pods, or one cluster at a time",
    });
  }
  const problems: Problem[] = [];
  const report = (object: string, path: string, reason: string, severity: Problem["severity"] = "error"): void => {
    problems.push({ severity, object, path, reason, source: null });
  };
  const parse = (object: string, ips: readonly string[] = []): Address[] =>
    ips.flatMap((ip) => {
      const address = parseAddress(ip);
      if (!address) report(object, "ips", `${JSON.stringify(ip)} is no IP address`);
      return address ?? [];
    });

  const namespaces = new Map(listed.map(({ name, labels }) => [name, namespaceLabels(name, labels)]));
  const byName = new Map<string, number>();
  const groups = new Map<string, LabelGroup>();
  const addresses = pods.map((pod, index) => {
    const key = `${pod.namespace}/${pod.name}`;
    if (byName.has(key)) report(`Pod ${key}`, "name", "is there twice");
    byName.set(key, index);
    if (!namespaces.has(pod.namespace)) {
      namespaces.set(pod.namespace, namespaceLabels(pod.namespace, {}));
      report(`Namespace ${pod.namespace}`, "", "is not among the objects; taken as one without labels", "warning");
    }
    groupOf(groups, pod).pods.push(index);
    return parse(`Pod ${key}`, pod.ips);
  });
  return {
    pods,
    byName,
    addresses,
    namespaces,
    groups: [...groups.values()],
    nodes: nodes.map(({ name, labels = {}, ips }) => ({
      labels: new Map(Object.entries(labels)),
      addresses: parse(`Node ${name}`, ips),
    })),
    problems,
  };
}

/** The API server sets `kubernetes.io/metadata.name` on every namespace, whatever was written. */
function namespaceLabels(name: string, labels: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> {
  return new Map([...Object.entries(labels), ["kubernetes.io/metadata.name", name]]);
}

function groupOf(groups: Map<string, LabelGroup>, pod: Pod): LabelGroup {
  const { namespace, labels = {}, hostNetwork = false, serviceAccount = "default", ports = [] } = pod;
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const open = ports.map(({ name, containerPort, protocol }) => [name, containerPort, protocol]);
  const key = JSON.stringify([namespace, hostNetwork, serviceAccount, pairs, open]);
  const known = groups.get(key);
  if (known) return known;
  const group: LabelGroup = { namespace, labels: new Map(pairs), hostNetwork, serviceAccount, ports, pods: [] };
  groups.set(key, group);
  return group;
}
