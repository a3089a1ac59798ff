import { setTimeout as sleep } from "node:timers/promises";
import { KubeError, reflect, type Kube, type KubeResource } from "@bulwark/kube";
import { errorText, type Component, type Container, type OwnerRef, type PodMetadata } from "@bulwark/model";
import type { Logger } from "@bulwark/telemetry";

export interface PodBookOptions {
  node: string;
  connect(): Kube;
  log: Logger;
  /** What is known of this pod is another than before. */
  changed(uid: string): void;
  now?(): number;
}

interface Entry {
  metadata: PodMetadata;
  goneAt: number | undefined;
}

/** A pod that has gone is kept so long, so that late events still find it. */
const keptAfterGone = 60_000;
const goneLimit = 10_000;
/** A container whose pod the API server has not told of is waited for so long, once. Milliseconds. */
const patience = 1000;
const givenUp = -Infinity;
const ownersKept = 5000;
const firstPause = 1000;
const lastPause = 60_000;
/** Between a pod and its workload: what is asked for its own controller. */
const between: Readonly<Record<string, string>> = {
  ReplicaSet: "/apis/apps/v1/namespaces/{namespace}/replicasets/{name}",
  Job: "/apis/batch/v1/namespaces/{namespace}/jobs/{name}",
};

/**
 * The pods of this node as the API server tells of them, and of no other node. What it has not told is not known: names
 * are never taken apart to guess at it. While it is away, what was told stays.
 */
export class PodBook implements AsyncDisposable {
  readonly #options: PodBookOptions;
  readonly #entries = new Map<string, Entry>();
  /** Controllers of controllers by uid; null where there is none. Bounded, the oldest goes. */
  readonly #owners = new Map<string, OwnerRef | null>();
  readonly #asked = new Map<string, number>();
  /** Containers with what is known of their pods. */
  readonly #completed = new WeakMap<Container, Container>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #state: { ok: boolean; reason: string; remedy: string } = { ok: false, reason: "not asked yet", remedy: "" };
  #isListed = false;
  /** By kind, what keeps the owners of pods from being read. */
  readonly #ownerTrouble = new Map<string, KubeError>();
  readonly #counters = { relists: 0, errors: 0, "unknown.owner": 0, "unknown.pod": 0 };

  constructor(options: PodBookOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** The container with what is known of its pod. */
  complete(container: Container): Container {
    const { pod } = container;
    const metadata = pod && this.#entries.get(pod.uid)?.metadata;
    if (!metadata) return container;
    // Asked of everything that a container does.
    const known = this.#completed.get(container);
    if (known?.pod?.metadata === metadata) return known;
    const completed = { ...container, pod: { ...pod, metadata } };
    this.#completed.set(container, completed);
    return completed;
  }

  /** True while it is worth waiting for the API server to tell of the container's pod: a second, and only when it answers. */
  isAwaited({ pod }: Container): boolean {
    if (!pod || pod.uid === "" || this.#entries.has(pod.uid)) return false;
    const now = this.#now();
    const first = this.#asked.get(pod.uid);
    if (first === undefined) {
      if (!this.#state.ok && this.#isListed) return false;
      this.#asked.set(pod.uid, now);
      const oldest = this.#asked.keys().next().value;
      if (this.#asked.size > goneLimit && oldest !== undefined) this.#asked.delete(oldest);
      return true;
    }
    if (now - first < patience) return true;
    // Given up, once and for all: it is named by its runtime's labels until the API server tells of it.
    if (first !== givenUp) this.#counters["unknown.pod"]++;
    this.#asked.set(pod.uid, givenUp);
    return false;
  }

  health(): Component {
    const { ok, reason, remedy } = this.#state;
    const living = [...this.#entries.values()].filter(({ goneAt }) => goneAt === undefined).length;
    const part = { id: "kubernetes", node: this.#options.node, updatedAt: Date.now() };
    const counters = { pods: living, ...this.#counters };
    if (!ok) {
      const summary = `Knows ${living} pods of this node as they were; newer ones by name only`;
      return told({ ...part, state: "degraded", summary, reason, remedy, counters });
    }
    const troubles = [...this.#ownerTrouble.values()];
    if (troubles.length > 0) {
      const summary = `Knows the ${living} pods of this node, not the workloads of all of them`;
      const said = troubles.map(({ message }) => message).join("; ");
      return told({ ...part, state: "degraded", summary, reason: said, remedy: troubles[0]?.remedy ?? "", counters });
    }
    return { ...part, state: "ok", summary: `Knows the ${living} pods of this node`, reason: "", remedy: "", counters };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let pause = firstPause; !signal.aborted; pause = Math.min(pause * 2, lastPause)) {
      try {
        using client = this.#options.connect();
        await this.#follow(client, signal);
      } catch (error) {
        this.#failed(error);
        if (!(error instanceof KubeError))
          this.#options.log.error({ reason: errorText(error) }, "pods are not followed");
        await sleep(pause, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #follow(client: Kube, signal: AbortSignal): Promise<void> {
    const fieldSelector = `spec.nodeName=${this.#options.node}`;
    let listing = new Set<string>();
    const put = async (pod: KubeResource): Promise<void> => this.#put(client, pod);
    await reflect(
      client,
      "/api/v1/pods",
      {
        page: async (pods) => {
          for (const pod of pods) {
            listing.add(pod.metadata.uid);
            await put(pod);
          }
        },
        listed: async () => {
          if (this.#isListed) this.#counters.relists++;
          this.#isListed = true;
          for (const uid of this.#entries.keys()) if (!listing.has(uid)) this.#gone(uid);
          listing = new Set();
        },
        put,
        gone: async ({ metadata }) => this.#gone(metadata.uid),
        heard: () => {
          this.#state = { ok: true, reason: "", remedy: "" };
          this.#forget();
        },
        failed: (error) => {
          listing = new Set();
          this.#failed(error);
        },
      },
      { fieldSelector, signal },
    );
  }

  async #put(client: Kube, { metadata, spec }: KubeResource): Promise<void> {
    const owners = await this.#chain(client, metadata);
    const told = (spec as { serviceAccountName?: unknown } | undefined)?.serviceAccountName;
    const serviceAccount = typeof told === "string" ? told.slice(0, 256) : "";
    const fresh: PodMetadata = { labels: metadata.labels ?? {}, owners, serviceAccount };
    const before = this.#entries.get(metadata.uid);
    this.#entries.set(metadata.uid, { metadata: fresh, goneAt: before?.goneAt });
    this.#asked.delete(metadata.uid);
    if (JSON.stringify(before?.metadata) !== JSON.stringify(fresh)) this.#options.changed(metadata.uid);
  }

  /** Nearest first, as far as the API server tells. */
  async #chain(client: Kube, { namespace = "", ownerReferences }: KubeResource["metadata"]): Promise<OwnerRef[]> {
    const chain: OwnerRef[] = [];
    let next = controllerOf(ownerReferences);
    while (next && next.kind !== "Node" && chain.length < 8) {
      chain.push(next);
      next = await this.#ownerOf(client, namespace, next);
    }
    return chain;
  }

  async #ownerOf(client: Kube, namespace: string, { kind, name, uid }: OwnerRef): Promise<OwnerRef | null> {
    const path = between[kind];
    if (path === undefined) return null;
    const known = this.#owners.get(uid);
    if (known !== undefined) return known;
    try {
      const full = path
        .replace("{namespace}", encodeURIComponent(namespace))
        .replace("{name}", encodeURIComponent(name));
      const { metadata } = (await client.read(full, { signal: this.#stop.signal })) as KubeResource;
      this.#ownerTrouble.delete(kind);
      // One of the same name that came later is another one.
      const owner = metadata.uid === uid ? controllerOf(metadata.ownerReferences) : null;
      this.#owners.set(uid, owner);
      const oldest = this.#owners.keys().next().value;
      if (this.#owners.size > ownersKept && oldest !== undefined) this.#owners.delete(oldest);
      return owner;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      // An API server that is away or asks to wait is asked for the pod itself again.
      if (error.code === "unreachable" || error.code === "busy") throw error;
      this.#counters["unknown.owner"]++;
      // One that has gone already is nobody's fault.
      if (error.code !== "not-found") this.#ownerTrouble.set(kind, error);
      return null;
    }
  }

  #gone(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry) entry.goneAt ??= this.#now();
  }

  #forget(): void {
    const now = this.#now();
    let kept = 0;
    for (const [uid, { goneAt }] of [...this.#entries].toReversed()) {
      if (goneAt === undefined) continue;
      if (now - goneAt > keptAfterGone || ++kept > goneLimit) this.#entries.delete(uid);
    }
  }

  #failed(error: unknown): void {
    this.#counters.errors++;
    const remedy = (error instanceof KubeError ? error.remedy : undefined) ?? "it is tried again by itself";
    this.#state = { ok: false, reason: errorText(error), remedy };
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now();
  }
}

function told(component: Component): Component {
  const { reason, remedy } = component;
  return { ...component, reason: reason.slice(0, 2048), remedy: remedy.slice(0, 2048) };
}

function controllerOf(references: KubeResource["metadata"]["ownerReferences"]): OwnerRef | null {
  const found = references?.find(({ controller }) => controller === true);
  return found ? { kind: found.kind, apiVersion: found.apiVersion, name: found.name, uid: found.uid } : null;
}
