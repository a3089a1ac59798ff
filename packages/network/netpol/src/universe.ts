import { allAddresses, type Address, type AddressBlock, type AddressRange } from "./address.ts";
import type { Census, LabelGroup } from "./cluster.ts";
import type { PeerMatch, PodSet, Policy } from "./policy.ts";
import { matches, type Selector } from "./selector.ts";

/**
 * Everything that can be an end of a connection, as one row of elements: first the pods, then intervals of addresses.
 * The intervals are cut at every bound that a policy names, so that an interval is inside a block or outside of it,
 * never both.
 */
export interface Universe {
  readonly census: Census;
  /** Pods and intervals. */
  readonly size: number;
  readonly intervals: readonly AddressRange[];
  /** The element of an address: its interval. */
  elementOf(address: Address): number;
  /** Elements of a set of pods. The same array for the same set. */
  pods(set: PodSet): Int32Array;
  /** Elements that a peer matches; null is everybody. The same array for the same set. */
  peer(match: PeerMatch): Int32Array | null;
}

export interface UniverseOptions {
  readonly ipBlockMatchesPods: boolean;
  readonly clusterName: string;
}

export function createUniverse(census: Census, policies: readonly Policy[], options: UniverseOptions): Universe {
  const nodeAddresses = [
    ...census.nodes.flatMap(({ addresses }) => addresses),
    ...census.groups.flatMap(({ hostNetwork, pods }) =>
      hostNetwork ? pods.flatMap((pod) => census.addresses[pod] ?? []) : [],
    ),
  ];
  const line = cut(policies, nodeAddresses, census.pods.length);
  const sets = new Map<string, Int32Array>();
  const once = (key: string, make: () => number[]): Int32Array => {
    const known = sets.get(key);
    if (known) return known;
    const made = Int32Array.from(new Set(make())).sort();
    sets.set(key, made);
    return made;
  };

  const podIntervals = new Map<number, number[]>();
  const onNode = new Set(census.groups.flatMap(({ hostNetwork, pods }) => (hostNetwork ? pods : [])));
  for (const [pod, list] of census.addresses.entries()) {
    for (const address of list) push(podIntervals, line.elementOf(address), pod);
  }
  const nodeElements = nodeAddresses.map((address) => line.elementOf(address));
  const isNode = new Set(nodeElements);
  const everyPod = census.pods.map((_, index) => index);
  const outside = line.intervals.map((_, index) => census.pods.length + index);
  const world = outside.filter((element) => !isNode.has(element));
  const inFamily = (family: 4 | 6): number[] =>
    world.filter((element) => line.intervals[element - census.pods.length]?.family === family);

  const find = groupFinder(census, options.clusterName);
  const pods = (set: PodSet): Int32Array => once(podSetKey(set), () => find(set).flatMap((group) => group.pods));

  function peer(match: PeerMatch): Int32Array | null {
    switch (match.kind) {
      case "pods":
        return pods(match.pods);
      case "addresses":
        return addressPeer(match);
      case "nodes":
        return once(`nodes ${match.nodes.key}`, () =>
          census.nodes
            .filter(({ labels }) => matches(match.nodes, (key) => labels.get(key)))
            .flatMap(({ addresses }) => addresses.map((address) => line.elementOf(address)))
            .flatMap((element) => withPods(element, onNode)),
        );
      case "entity":
        return match.entity === "all" ? null : once(match.entity, () => entityMembers(match.entity));
      case "nothing":
        return once("nothing", () => []);
    }
  }

  function entityMembers(entity: (PeerMatch & { kind: "entity" })["entity"]): number[] {
    switch (entity) {
      case "all":
        return [...everyPod, ...outside];
      case "world":
        return world;
      case "world-ipv4":
        return inFamily(4);
      case "world-ipv6":
        return inFamily(6);
      case "cluster":
        return [...everyPod, ...nodeElements];
      case "nodes":
        return [...onNode, ...nodeElements];
    }
  }

  /** Pods on the network of their node have the node's address, and are matched as it is. */
  function addressPeer({ blocks, matches: scope }: PeerMatch & { kind: "addresses" }): Int32Array {
    const withManaged = scope.pods === "option" ? options.ipBlockMatchesPods : scope.pods;
    const key = JSON.stringify([blocks.map(blockKey), withManaged, scope.nodes]);
    return once(`addresses ${key}`, () => {
      const elements = blocks.flatMap((block) => line.inside(block));
      const taken = scope.nodes ? elements : elements.filter((element) => !isNode.has(element));
      const members = [...taken];
      for (const element of elements) {
        for (const pod of podIntervals.get(element) ?? []) {
          if (onNode.has(pod) ? scope.nodes : withManaged) members.push(pod);
        }
      }
      return members;
    });
  }

  function withPods(element: number, of: ReadonlySet<number>): number[] {
    return [element, ...(podIntervals.get(element) ?? []).filter((pod) => of.has(pod))];
  }

  return { census, size: census.pods.length + line.intervals.length, ...line, pods, peer };
}

const podSetKey = ({ namespaces, pods, dialect }: PodSet): string =>
  JSON.stringify([dialect, "name" in namespaces ? namespaces.name : [namespaces.selector.key], pods.key]);

const blockKey = ({ range, except }: AddressBlock): string[] => [range, ...except].map(rangeKey);
const rangeKey = ({ family, first, last }: AddressRange): string => `${family} ${first}-${last}`;

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

interface Line {
  readonly intervals: readonly AddressRange[];
  elementOf(address: Address): number;
  inside(block: AddressBlock): number[];
}

/** Cuts both address families at every bound that anything names. `offset` is the element of the first interval. */
function cut(policies: readonly Policy[], nodes: readonly Address[], offset: number): Line {
  const ranges: AddressRange[] = nodes.map(({ family, value }) => ({ family, first: value, last: value }));
  for (const { ingress, egress } of policies) {
    for (const { peers } of [...ingress.rules, ...egress.rules]) {
      for (const { match } of peers ?? []) {
        if (match.kind === "addresses") for (const { range, except } of match.blocks) ranges.push(range, ...except);
      }
    }
  }
  const families = allAddresses.map((whole) => {
    const starts = new Set([whole.first]);
    for (const { family, first, last } of ranges) {
      if (family !== whole.family) continue;
      starts.add(first);
      if (last < whole.last) starts.add(last + 1n);
    }
    return { whole, starts: [...starts].sort((a, b) => (a < b ? -1 : 1)) };
  });
  const intervals = families.flatMap(({ whole: { family, last }, starts }) =>
    starts.map((first, index) => ({ family, first, last: (starts[index + 1] ?? last + 1n) - 1n })),
  );
  const [v4, v6] = families;
  const small = Float64Array.from(v4?.starts ?? [], Number);
  const large = v6?.starts ?? [];
  const elementOf = ({ family, value }: Address): number =>
    family === 4 ? offset + lastNotAbove(small, Number(value)) : offset + small.length + lastNotAbove(large, value);
  const span = (range: AddressRange): [number, number] => [
    elementOf({ family: range.family, value: range.first }),
    elementOf({ family: range.family, value: range.last }),
  ];
  return {
    intervals,
    elementOf,
    inside({ range, except }) {
      const [from, to] = span(range);
      const out = except.map(span);
      const list: number[] = [];
      for (let at = from; at <= to; at++) if (!out.some(([a, b]) => at >= a && at <= b)) list.push(at);
      return list;
    },
  };
}

function lastNotAbove<T extends number | bigint>(starts: ArrayLike<T>, value: T): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as T) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Groups of pods that a set takes, looked up by namespace or by label rather than one by one. */
function groupFinder(census: Census, clusterName: string): (set: PodSet) => LabelGroup[] {
  const byNamespace = new Map<string, LabelGroup[]>();
  const byLabel = new Map<string, LabelGroup[]>();
  for (const group of census.groups) {
    if (group.hostNetwork) continue;
    push(byNamespace, group.namespace, group);
    for (const [label, value] of group.labels) push(byLabel, `${label}=${value}`, group);
  }
  const chosen = new Map<string, ReadonlySet<string>>();
  const namespacesOf = (selector: Selector): ReadonlySet<string> => {
    const known = chosen.get(selector.key);
    if (known) return known;
    const names = [...census.namespaces].filter(([, labels]) => matches(selector, (key) => labels.get(key)));
    const set = new Set(names.map(([name]) => name));
    chosen.set(selector.key, set);
    return set;
  };
  const cilium = (group: LabelGroup, label: string): string | undefined =>
    ciliumLabel(group, label, census.namespaces.get(group.namespace), clusterName);

  return ({ namespaces, pods, dialect }) => {
    const names = "name" in namespaces ? new Set([namespaces.name]) : namespacesOf(namespaces.selector);
    const lists = [...names].map((name) => byNamespace.get(name) ?? []);
    let candidates = lists.reduce((sum, list) => sum + list.length, 0);
    let best: LabelGroup[][] = lists;
    for (const { label, operator, values } of dialect === "kubernetes" ? pods.requirements : []) {
      if (operator !== "In") continue;
      const found = values.map((value) => byLabel.get(`${label}=${value}`) ?? []);
      const count = found.reduce((sum, list) => sum + list.length, 0);
      if (count < candidates) [candidates, best] = [count, found];
    }
    return best
      .flat()
      .filter((group) => names.has(group.namespace))
      .filter((group) =>
        matches(pods, dialect === "cilium" ? (label) => cilium(group, label) : (label) => group.labels.get(label)),
      );
  };
}

/** Labels of an endpoint as Cilium sees them: those of the pod, its namespace and that one's labels, its account. */
function ciliumLabel(
  group: LabelGroup,
  written: string,
  namespace: ReadonlyMap<string, string> | undefined,
  clusterName: string,
): string | undefined {
  const label = written.replace(/^(?:k8s|any):/, "");
  const ofNamespace = "io.cilium.k8s.namespace.labels.";
  if (label === "io.kubernetes.pod.namespace") return group.namespace;
  if (label === "io.cilium.k8s.policy.serviceaccount") return group.serviceAccount;
  if (label === "io.cilium.k8s.policy.cluster") return clusterName;
  if (label.startsWith(ofNamespace)) return namespace?.get(label.slice(ofNamespace.length));
  return group.labels.get(label);
}
