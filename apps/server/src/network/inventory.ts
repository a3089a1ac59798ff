import {
  matchesSelector,
  parseSelector,
  splitNodeId,
  type FlowHour,
  type KubeObject,
  type NetworkEnd,
  type OwnerRef,
  type StoredKubeObject,
} from "@bulwark/model";
import type { ClusterNode, ContainerPort, Namespace, Pod } from "@bulwark/netpol";
import type { Store } from "@bulwark/store";

type Workload = NonNullable<NetworkEnd["workload"]>;

interface KnownPod {
  readonly uid: string;
  readonly pod: Pod;
  readonly workload: Workload;
  /** As its cluster calls it; null until it is placed. */
  readonly node: string | null;
  /** Milliseconds since the epoch; `until` is null while it lives. */
  readonly since: number;
  readonly until: number | null;
  readonly runs: boolean;
}

interface Service {
  readonly name: string;
  readonly namespace: string;
  readonly selector: string;
  /** `80/TCP` → `8080`, or the name of a port of the pods. */
  readonly targets: ReadonlyMap<string, string>;
}

/** Who a cluster consists of, as far as its policies and its addresses are concerned. */
export interface Inventory {
  readonly loadedAt: number;
  /** All of the cluster is known: a pod that is not known is very new, or none. */
  readonly isComplete: boolean;
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  readonly nodes: readonly ClusterNode[];
  /** Pods that are, or lately were, called so; those that live first. */
  named(namespace: string, pod: string): readonly KnownPod[];
  /** The flow with the workloads that had its addresses then, and behind a Service with what answers there. */
  resolve<F extends Pick<FlowHour, "client" | "server" | "port" | "protocol" | "first">>(flow: F): F;
}

const pageSize = 500;
/** A pod that has gone is remembered for so long: its flows may still come. */
const remembered = 3_600_000;
/** Clocks of nodes and of the API server differ. */
const tolerance = 5000;

/** Reads what the store knows of a cluster. `before`: what was read last, for pods that have gone since. */
export async function readInventory(
  cluster: string,
  { kubernetes }: Store,
  before: Inventory | undefined,
  now: number,
): Promise<Inventory> {
  async function all(kind: string): Promise<StoredKubeObject[]> {
    const objects: StoredKubeObject[] = [];
    let cursor: string | undefined;
    do {
      const page = await kubernetes.plain({ cluster, kind }, { cursor, limit: pageSize });
      objects.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return objects;
  }
  const [pods, replicaSets, jobs, services, namespaces, nodes] = await Promise.all(
    ["Pod", "ReplicaSet", "Job", "Service", "Namespace", "Node"].map(all),
  );
  const owners = new Map([...(replicaSets ?? []), ...(jobs ?? [])].map(({ uid, owner }) => [uid, owner]));
  const known = (pods ?? []).map((pod) => knownPod(pod, pod.owner && (owners.get(pod.owner.uid) ?? pod.owner)));
  const gone = before instanceof ClusterInventory ? before.gone(new Set(known.map(({ uid }) => uid)), now) : [];
  const state = (await kubernetes.clusters()).find(({ name }) => name === cluster);
  const isComplete = state?.state === "ok" && state.syncedAt !== null;
  return new ClusterInventory(now, isComplete, [...known, ...gone], services ?? [], namespaces ?? [], nodes ?? []);
}

/** Pods by name and node: what an inventory has of them, else what the store has had since, or before they went. */
export type PodFinder = (namespace: string, pod: string, node: string) => Promise<readonly KnownPod[]>;

const mostLookups = 1000;
/** Of pods of one name, one after the other. */
const mostNamed = 20;
/** Milliseconds for which what was not found is not looked for again. */
const missing = 1000;

export function podFinder(inventory: Inventory, cluster: string, { kubernetes }: Store): PodFinder {
  const looked = new Map<string, { at: number; pods: Promise<KnownPod[]> }>();
  async function look(namespace: string, name: string): Promise<KnownPod[]> {
    const filters = [false, true].map((deleted) => ({ cluster, kind: "Pod", namespace, name, deleted }));
    const pages = await Promise.all(filters.map(async (filter) => kubernetes.list(filter, { limit: mostNamed })));
    return pages.flatMap(({ items }) => items).map((row) => knownPod(row, row.owners.at(-1) ?? null));
  }
  return async (namespace, name, node) => {
    const named = inventory.named(namespace, name);
    if (named.some((known) => known.node === node)) return named;
    const key = `${namespace}/${name}`;
    const before = looked.get(key);
    if (before && performance.now() - before.at < missing) return before.pods;
    if (!before && looked.size >= mostLookups) return named;
    const pods = look(namespace, name);
    looked.set(key, { at: performance.now(), pods });
    return pods;
  };
}

class ClusterInventory implements Inventory {
  readonly loadedAt: number;
  readonly isComplete: boolean;
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  readonly nodes: readonly ClusterNode[];
  readonly #known: readonly KnownPod[];
  readonly #byAddress = new Map<string, KnownPod[]>();
  readonly #byName = new Map<string, KnownPod[]>();
  readonly #services = new Map<string, Service>();
  /** What answers behind a Service; null where that is not one workload. */
  readonly #backends = new Map<Service, Backend | null>();
  /** The same end for the same address of a pod, and for what was told without labels: thousands of flows have few ends. */
  readonly #owners = new Map<KnownPod, Map<string, NetworkEnd>>();
  readonly #descriptions = new WeakMap<NetworkEnd, NetworkEnd>();

  constructor(
    loadedAt: number,
    isComplete: boolean,
    known: readonly KnownPod[],
    services: readonly KubeObject[],
    namespaces: readonly KubeObject[],
    nodes: readonly KubeObject[],
  ) {
    this.loadedAt = loadedAt;
    this.isComplete = isComplete;
    this.#known = known;
    // What has ended keeps its address in the API, and has it no more.
    this.pods = known.filter(({ until, runs }) => until === null && runs).map(({ pod }) => pod);
    this.namespaces = namespaces.map(({ name, labels }) => ({ name, labels }));
    this.nodes = nodes.map(({ name, labels, facts }) => ({ name, labels, ips: words(factOf(facts, "address")) }));
    for (const one of known) {
      const name = `${one.pod.namespace}/${one.pod.name}`;
      this.#byName.set(name, [...(this.#byName.get(name) ?? []), one]);
      if (one.pod.hostNetwork === true) continue;
      for (const ip of one.pod.ips ?? []) this.#byAddress.set(ip, [...(this.#byAddress.get(ip) ?? []), one]);
    }
    for (const list of this.#byAddress.values()) {
      list.sort((a, b) => Number(b.runs) - Number(a.runs) || b.since - a.since);
    }
    for (const service of services) {
      for (const ip of words(factOf(service.facts, "addresses"))) this.#services.set(ip, serviceOf(service));
    }
  }

  resolve<F extends Pick<FlowHour, "client" | "server" | "port" | "protocol" | "first">>(flow: F): F {
    const client = this.#end(flow.client, flow.first);
    const server = this.#end(flow.server, flow.first);
    const service = server.workload || server.ip === null ? undefined : this.#services.get(server.ip);
    if (service) return { ...flow, client, ...this.#behind(service, flow, server) };
    return client === flow.client && server === flow.server ? flow : { ...flow, client, server };
  }

  named(namespace: string, pod: string): readonly KnownPod[] {
    return this.#byName.get(`${namespace}/${pod}`) ?? [];
  }

  /** Pods that are not among the living any more, and went not long ago. */
  gone(alive: ReadonlySet<string>, now: number): KnownPod[] {
    return this.#known
      .filter(({ uid, until }) => (until === null ? !alive.has(uid) : now - until < remembered))
      .map((one) => ({ ...one, until: one.until ?? now }));
  }

  #end(end: NetworkEnd, time: number): NetworkEnd {
    const { workload, ip } = end;
    if (workload) return workload.pod === null ? end : this.#described(end, workload);
    if (ip === null) return end;
    const owner = this.#byAddress
      .get(ip)
      ?.find(({ since, until }) => since <= time + tolerance && (until === null || time <= until + tolerance));
    return owner ? this.#endOf(owner, ip) : end;
  }

  #endOf(owner: KnownPod, ip: string): NetworkEnd {
    const ends = this.#owners.get(owner) ?? new Map<string, NetworkEnd>();
    const end = ends.get(ip) ?? { workload: owner.workload, ip, name: null };
    this.#owners.set(owner, ends.set(ip, end));
    return end;
  }

  /** An agent that was not told of its pods knows their names alone. */
  #described(end: NetworkEnd, workload: Workload): NetworkEnd {
    if (workload.name !== null && Object.keys(workload.labels).length > 0) return end;
    const before = this.#descriptions.get(end);
    if (before) return before;
    const described = this.#describe(end, workload);
    this.#descriptions.set(end, described);
    return described;
  }

  #describe(end: NetworkEnd, workload: Workload): NetworkEnd {
    const named = this.named(workload.namespace, workload.pod ?? "");
    const node = workload.node === null ? null : splitNodeId(workload.node).name;
    const isKnown = this.nodes.some(({ name }) => name === node);
    const known = named.find((one) => one.until === null && (!isKnown || one.node === node));
    return known ? { ...end, workload: { ...known.workload, node: workload.node } } : end;
  }

  #behind(
    service: Service,
    { port, protocol }: Pick<FlowHour, "port" | "protocol">,
    server: NetworkEnd,
  ): { server: NetworkEnd; port: number } {
    const name = `${service.name}.${service.namespace}.svc`;
    let backend = this.#backends.get(service);
    if (backend === undefined) {
      backend = this.#backendOf(service);
      this.#backends.set(service, backend);
    }
    if (!backend) return { server: { ...server, name: server.name ?? name }, port };
    const target = service.targets.get(`${port}/${protocol}`) ?? String(port);
    const number = /^\d+$/.test(target) ? Number(target) : backend.ports.get(target);
    return { server: { workload: backend.workload, ip: null, name }, port: number ?? port };
  }

  /** All pods behind it, where they are of one workload. */
  #backendOf({ namespace, selector }: Service): Backend | null {
    if (selector === "") return null;
    const asked = parseSelector(selector);
    const behind = this.#known.filter(
      ({ pod, until, runs }) =>
        until === null && runs && pod.namespace === namespace && matchesSelector({ ...pod.labels }, asked),
    );
    const [first] = behind;
    if (!first || behind.some(({ workload }) => workload.name !== first.workload.name)) return null;
    const labels = Object.entries(first.workload.labels).filter(([key, value]) =>
      behind.every(({ workload }) => workload.labels[key] === value),
    );
    const ports = (first.pod.ports ?? []).flatMap(({ name, containerPort }) =>
      name === undefined ? [] : [[name, containerPort] as const],
    );
    const workload = { ...first.workload, pod: null, node: null, labels: Object.fromEntries(labels) };
    return { workload, ports: new Map(ports) };
  }
}

interface Backend {
  readonly workload: Workload;
  readonly ports: ReadonlyMap<string, number>;
}

/** `top`: the last of those that control it. */
function knownPod(object: StoredKubeObject, top: OwnerRef | null): KnownPod {
  const { uid, namespace, name, labels, node, facts, createdAt, deletedAt, status, containers } = object;
  const serviceAccount = factOf(facts, "serviceAccount") || "default";
  const owner = top && top.kind !== "Node" ? { name: top.name, kind: top.kind } : { name, kind: "Pod" };
  return {
    uid,
    node,
    pod: {
      ...{ namespace, name, kind: "Pod", workload: owner.name, labels, serviceAccount },
      ips: words(factOf(facts, "address")),
      ports: words(factOf(facts, "ports")).flatMap(portOf),
      hostNetwork: factOf(facts, "hostNetwork") === "yes",
    },
    workload: { namespace, ...owner, pod: name, labels, serviceAccount, node },
    since: createdAt,
    until: deletedAt,
    runs: status !== "Succeeded" && (containers.length === 0 || containers.some(({ state }) => state !== "terminated")),
  };
}

function serviceOf({ name, namespace, facts }: KubeObject): Service {
  const targets = words(factOf(facts, "targets")).map((text) => text.split("=") as [string, string | undefined]);
  return {
    ...{ name, namespace, selector: factOf(facts, "selector") },
    targets: new Map(targets.flatMap(([from, to]) => (to === undefined ? [] : [[from, to] as const]))),
  };
}

/** `http=8080/TCP`, `53/UDP`. */
function portOf(text: string): ContainerPort[] {
  const match = /^(?:([^=]+)=)?(\d+)\/(TCP|UDP|SCTP)$/.exec(text);
  if (!match) return [];
  const [, name, number, protocol] = match;
  return [{ name, containerPort: Number(number), protocol: protocol as ContainerPort["protocol"] }];
}

function factOf(facts: KubeObject["facts"], key: string): string {
  return facts.find((fact) => fact.key === key)?.value ?? "";
}

function words(text: string): string[] {
  return text.split(", ").filter((word) => word !== "" && word !== "None");
}
