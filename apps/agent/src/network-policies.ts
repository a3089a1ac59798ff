import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { compileTable, type EnforcedPod } from "@bulwark/enforce";
import type { End, Flow } from "@bulwark/flow";
import { KubeError, reflect, type Kube, type KubeResource } from "@bulwark/kube";
import { errorText, type Component, type Container } from "@bulwark/model";
import {
  createEvaluator,
  loadObjects,
  NetpolError,
  policyName,
  protocols,
  type Decision,
  type Evaluator,
  type Protocol,
} from "@bulwark/netpol";
import { openNetwork, type Sensor } from "@bulwark/sensor";
import type { Logger } from "@bulwark/telemetry";
import { servicesOf } from "./service-addresses.ts";

export interface NetworkPoliciesOptions {
  node: string;
  connect(): Kube;
  /** The containers of this node that run. */
  containers(): readonly Container[];
  log: Logger;
}

/** A collection, and whether a cluster may be without it. */
const collections = {
  pods: { path: "/api/v1/pods", kind: "Pod", apiVersion: "v1", isOptional: false },
  namespaces: { path: "/api/v1/namespaces", kind: "Namespace", apiVersion: "v1", isOptional: false },
  services: { path: "/api/v1/services", kind: "Service", apiVersion: "v1", isOptional: false },
  slices: ofGroup("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", false),
  policies: ofGroup("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", false),
  clusterPolicies: ofGroup("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", "clusternetworkpolicies", true),
  baselinePolicies: ofGroup(
    "policy.networking.k8s.io/v1alpha1",
    "BaselineAdminNetworkPolicy",
    "baselineadminnetworkpolicies",
    true,
  ),
  adminPolicies: ofGroup("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", "adminnetworkpolicies", true),
} as const;
type CollectionName = keyof typeof collections;
type Objects = Record<CollectionName, Map<string, KubeResource>>;

const policyCollections = ["policies", "clusterPolicies", "adminPolicies", "baselinePolicies"] as const;

/** Milliseconds: changes that come together are compiled together. */
const breath = 50;
/** A table that could not be enforced is tried again. */
const retryAfter = 1000;
const firstPause = 1000;
const lastPause = 60_000;
const policiesKept = 1000;

/**
 * Has network policies enforced for the pods of this node, in the kernel, where the cluster's network may enforce none. It
 * follows the cluster's pods, namespaces, policies and Services; while the API server is away, what was told stays in force.
 * Before everything was told once nothing is enforced, and when the sensor ends nothing is until it runs again.
 */
export class NetworkPolicies implements AsyncDisposable {
  readonly #options: NetworkPoliciesOptions;
  readonly #objects: Objects;
  readonly #listed = new Set<CollectionName>();
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  #sensor: Sensor | undefined;
  #evaluator: Evaluator | undefined;
  #isDue = false;
  #wake: (() => void) | undefined;
  /** Called when what is due now has been applied, or could not be. */
  #applied: (() => void)[] = [];
  #trouble: { reason: string; remedy: string } | undefined;
  readonly #unreadable = new Map<CollectionName, KubeError>();
  readonly #counters = { policies: 0, pods: 0, tables: 0, problems: 0, denied: 0 };
  /** Denied connections by policy. */
  readonly #deniedBy = new Map<string, number>();

  constructor(options: NetworkPoliciesOptions) {
    this.#options = options;
    const names = Object.keys(collections) as CollectionName[];
    this.#objects = Object.fromEntries(names.map((name) => [name, new Map()])) as Objects;
    this.#running = Promise.all([...names.map(async (name) => this.#follow(name)), this.#applyAll()]);
  }

  /** A sensor runs: it enforces from now on. Resolves when it does, or when it is known that it does not. */
  async use(sensor: Sensor): Promise<void> {
    this.#sensor = sensor;
    if (this.#stop.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#applied.push(resolve);
      this.changed();
    });
  }

  lost(): void {
    this.#sensor = undefined;
  }

  /** Containers came or went. */
  changed(): void {
    this.#isDue = true;
    this.#wake?.();
  }

  /** A connection was denied: it is counted by the policy that does so as they are now, which is the answer. */
  denied({ client, server, port, protocol, connections }: Flow, direction: "egress" | "ingress"): string {
    const name = this.#policyOf(endOf(client), endOf(server), port, protocol, direction);
    this.#counters.denied += connections;
    if (this.#deniedBy.size < policiesKept || this.#deniedBy.has(name)) {
      this.#deniedBy.set(name, (this.#deniedBy.get(name) ?? 0) + connections);
    }
    return name;
  }

  #policyOf(from: string, to: string, port: number, protocol: string, direction: "egress" | "ingress"): string {
    const known = protocols.find((name): name is Protocol => name === protocol);
    if (!this.#evaluator || !known) return "unknown";
    try {
      return nameOf(this.#evaluator.connection({ from, to, port, protocol: known })[direction]);
    } catch (error) {
      // Of a pod that is there no more.
      if (error instanceof NetpolError) return "unknown";
      throw error;
    }
  }

  health(): Component {
    const { node } = this.#options;
    const part = { id: "network-policies", node, updatedAt: Date.now() };
    const counters = { ...this.#counters, ...Object.fromEntries(this.#most()) };
    const missing = [...this.#unreadable.values()][0];
    const trouble = this.#trouble ?? (missing && { reason: errorText(missing), remedy: missing.remedy ?? "" });
    if (!this.#sensor) {
      const reason = "the sensor does not run";
      return {
        ...part,
        state: "failed",
        summary: "Enforces no network policy",
        reason,
        remedy: "see the sensor",
        counters,
      };
    }
    const summary = `${this.#counters.policies} network policies, enforced for ${this.#counters.pods} pods of this node`;
    if (trouble) return { ...part, state: "degraded", summary, ...shortened(trouble), counters };
    return { ...part, state: "ok", summary, reason: "", remedy: "", counters };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
    await this.#sensor?.enforceNetwork(openNetwork).catch(() => undefined);
  }

  /** The policies that denied most, as counters. */
  #most(): [string, number][] {
    const sorted = [...this.#deniedBy].sort(([, a], [, b]) => b - a).slice(0, 20);
    return sorted.map(([name, count]) => [`denied.${name}`.slice(0, 128), count]);
  }

  async #follow(name: CollectionName): Promise<void> {
    const { signal } = this.#stop;
    const { path, isOptional } = collections[name];
    const objects = this.#objects[name];
    let listing = new Set<string>();
    const put = (object: KubeResource): void => void objects.set(object.metadata.uid, object);
    for (let pause = firstPause; !signal.aborted; pause = Math.min(pause * 2, lastPause)) {
      try {
        using client = this.#options.connect();
        await reflect(
          client,
          path,
          {
            page: async (page) => {
              for (const object of page) {
                listing.add(object.metadata.uid);
                put(object);
              }
            },
            listed: async () => {
              for (const uid of objects.keys()) if (!listing.has(uid)) objects.delete(uid);
              listing = new Set();
              this.#has(name);
            },
            put: async (object) => {
              put(object);
              this.changed();
            },
            gone: async ({ metadata }) => {
              objects.delete(metadata.uid);
              this.changed();
            },
            heard: () => void this.#unreadable.delete(name),
            failed: (error) => {
              listing = new Set();
              // A cluster without such policies has none.
              if (isOptional && error.code === "not-found") this.#has(name);
              else this.#unreadable.set(name, error);
            },
          },
          { signal },
        );
      } catch (error) {
        if (error instanceof KubeError) this.#unreadable.set(name, error);
        else this.#options.log.error({ reason: errorText(error), path }, "a collection is not followed");
        await sleep(pause, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #has(name: CollectionName): void {
    this.#listed.add(name);
    this.changed();
  }

  /** One table after the other. */
  async #applyAll(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (!this.#isDue) await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
      await sleep(breath, undefined, { signal }).catch(() => undefined);
      this.#isDue = false;
      const applied = this.#applied.splice(0);
      if (!signal.aborted) await this.#apply();
      for (const resolve of applied) resolve();
    }
    for (const resolve of this.#applied) resolve();
  }

  async #apply(): Promise<void> {
    const sensor = this.#sensor;
    if (!sensor || this.#listed.size < Object.keys(collections).length) return;
    try {
      const evaluator = this.#evaluate();
      const table = compileTable(evaluator, {
        pods: podsOf(this.#options.containers()),
        services: servicesOf([...this.#objects.services.values()], [...this.#objects.slices.values()]),
        node: this.#nodeAddresses(),
      });
      await sensor.enforceNetwork(table);
      this.#evaluator = evaluator;
      this.#trouble = undefined;
      this.#counters.tables++;
      this.#counters.policies = evaluator.cluster.policies.length;
      this.#counters.pods = new Set(table.pods.map(({ cgroup }) => cgroup)).size;
      this.#counters.problems = evaluator.problems.filter(({ severity }) => severity === "error").length;
    } catch (error) {
      // Those before stay in force.
      this.#trouble = {
        reason: errorText(error),
        remedy: "see bulwark network lint; what was enforced before still is",
      };
      this.#options.log.error({ reason: errorText(error) }, "network policies are not enforced as they are now");
      setTimeout(() => this.changed(), retryAfter).unref();
    }
  }

  #evaluate(): Evaluator {
    const names: CollectionName[] = ["pods", "namespaces", ...policyCollections];
    const objects = names.flatMap((name) => {
      const { kind, apiVersion } = collections[name];
      // Items of a list do not say what they are.
      return [...this.#objects[name].values()].map((object) => ({ ...object, kind, apiVersion }));
    });
    const { cluster } = loadObjects(objects.map((object) => ({ object, source: "" })));
    // The API server took them: one that is wrong here shall not keep the others from being enforced.
    return createEvaluator(cluster, { onProblem: "skip" });
  }

  /** Kubernetes has a pod always reached from its node, whose probes come from there. */
  #nodeAddresses(): string[] {
    const { node } = this.#options;
    const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
    const told = [...this.#objects.pods.values()].flatMap(({ spec, status }) => {
      const { nodeName } = (spec ?? {}) as { nodeName?: unknown };
      const { hostIP } = (status ?? {}) as { hostIP?: unknown };
      return nodeName === node && typeof hostIP === "string" ? [hostIP] : [];
    });
    return [...new Set([...own, ...told])].filter(
      (ip) => !ip.startsWith("127.") && ip !== "::1" && !ip.startsWith("fe80:"),
    );
  }
}

function ofGroup(apiVersion: string, kind: string, plural: string, isOptional: boolean) {
  return { path: `/apis/${apiVersion}/${plural}`, kind, apiVersion, isOptional };
}

/** As evaluators name it. */
function endOf({ workload, ip }: End): string {
  return workload?.pod ? `${workload.namespace}/${workload.pod}` : (ip ?? "");
}

function nameOf({ reason, policy, path, isolatedBy }: Decision): string {
  if (policy) return `${policyName(policy)}${path === null ? "" : `, ${path}`}`;
  const [first] = isolatedBy;
  return first ? policyName(first) : reason;
}

/** Pods by their containers' cgroups: of the pod where the path says it, so that containers that come later are in it. */
function podsOf(containers: readonly Container[]): EnforcedPod[] {
  const pods = new Map<string, Set<string>>();
  for (const { pod, pid, state } of containers) {
    if (!pod || pid === null || state === "stopped") continue;
    const cgroup = cgroupOf(pid);
    if (cgroup === undefined) continue;
    const name = `${pod.namespace}/${pod.name}`;
    const own = pods.get(name) ?? new Set();
    const above = cgroup.slice(0, cgroup.lastIndexOf("/"));
    const last = above.slice(above.lastIndexOf("/") + 1).replaceAll("_", "-");
    own.add(pod.uid !== "" && last.includes(pod.uid) ? above : cgroup);
    pods.set(name, own);
  }
  return [...pods].map(([name, cgroups]) => ({ name, cgroups: [...cgroups] }));
}

/** Of version 2; undefined where the process has ended or is at the root, which is everybody's. */
function cgroupOf(pid: number): string | undefined {
  try {
    const path = /^0::(\/.+)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
    return path?.replace(/ \(deleted\)$/, "");
  } catch {
    return undefined;
  }
}

function shortened({ reason, remedy }: { reason: string; remedy: string }): { reason: string; remedy: string } {
  return { reason: reason.slice(0, 2048), remedy: remedy.slice(0, 2048) };
}
