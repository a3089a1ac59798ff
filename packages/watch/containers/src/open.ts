import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Component, Container } from "@bulwark/model";
import { CgroupIndex } from "./cgroups.ts";
import { RuntimeError } from "./error.ts";
import { healthOf } from "./health.ts";
import { Link } from "./link.ts";
import { identityOf, orderedBy } from "./merge.ts";
import { expand } from "./places.ts";
import { processFacts, processStat, type ProcessFacts } from "./process.ts";
import type { ContainerRegistry, ContentPlace, NodeImage, RuntimeOrder } from "./registry.ts";
import { defaultPaths, runtimes, type RuntimePaths } from "./runtimes/index.ts";
import { mapLimited } from "./wait.ts";

export interface ContainersOptions {
  /** Name of this node. */
  node: string;
  /** Where to look for each kind of runtime, instead of {@link defaultPaths}: sockets, or folders of state. */
  paths?: { [K in keyof RuntimePaths]?: RuntimePaths[K] | undefined };
}

/** A container that has stopped is kept so long, so that late events still find it. */
const keptAfterStop = 60_000;
/** Bound of what is kept of stopped ones, for a machine that starts and stops many. */
const stoppedLimit = 10_000;
/** Without any event, all runtimes are asked so often. */
const lookInterval = 10_000;
const checkInterval = 1000;
/** How long the telling of a poorer runtime is left out for the richer one's. */
const patienceForRicher = 3000;
/** A runtime that hangs does not keep the agent from starting. */
const openTimeout = 5000;
const foundKept = 10_000;

/**
 * Finds the runtimes of this machine and keeps up with their containers. Resolves when all have answered, after five
 * seconds at the latest. Never fails: what does not work is in `health()`.
 */
export async function openContainers(options: ContainersOptions): Promise<ContainerRegistry> {
  const registry = new Registry(options);
  await registry.start();
  return registry;
}

type Listener = (container: Container) => void;
type Change = "started" | "stopped" | "changed";

interface Entry {
  /** As the link told it; the same object while nothing changed. */
  told: Container;
  container: Container;
  facts: ProcessFacts | undefined;
  trusted: boolean;
  stoppedAt: number | undefined;
}

class Registry implements ContainerRegistry {
  readonly #node: string;
  readonly #patterns: { kind: (typeof runtimes)[number]; pattern: string }[];
  /** Richest first. */
  #links: Link[] = [];
  readonly #listeners = { started: new Set<Listener>(), stopped: new Set<Listener>(), changed: new Set<Listener>() };
  #entries = new Map<string, Entry>();
  #awaitedSince = new Map<string, number>();
  #byId = new Map<string, Container>();
  #byCgroup = new CgroupIndex<Container>();
  /** What was found by cgroups since the index is this one: every event asks, and most are of few cgroups. */
  readonly #found = new Map<string, Container>();
  /** The same by the array itself: who tells of many processes of a container has one for all of them. */
  #foundFor = new WeakMap<readonly string[], Container>();
  #merging: Promise<void> = Promise.resolve();
  #mergeWaits = false;
  #timers: NodeJS.Timeout[] = [];
  /** Before all have been asked, a poorer runtime would be believed only for being faster. */
  #isOpen = false;
  #closed = false;

  constructor({ node, paths }: ContainersOptions) {
    this.#node = node;
    this.#patterns = runtimes.flatMap((kind) =>
      (paths?.[kind.kind] ?? defaultPaths[kind.kind]).map((pattern) => ({ kind, pattern })),
    );
  }

  async start(): Promise<void> {
    this.#timers = [
      setInterval(() => void this.#check(), checkInterval),
      setInterval(() => void this.refresh(), lookInterval),
    ];
    const patience = new AbortController();
    const late = sleep(openTimeout, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([this.refresh(), late]);
    patience.abort();
    this.#isOpen = true;
    await this.#merge();
  }

  containers(): Container[] {
    return Array.from(this.#entries.values(), ({ container }) => container);
  }

  byId(id: string): Container | undefined {
    return this.#byId.get(id);
  }

  contentOf({ id, runtime, runtimeNamespace: namespace }: Container): ContentPlace | undefined {
    if (runtime !== "containerd" && runtime !== "docker" && runtime !== "podman") return undefined;
    const link = this.#links.find(
      ({ kind, containers }) => kind === runtime && containers.some((item) => item.id === id),
    );
    return link && { runtime, socket: link.path, namespace };
  }

  async images(): Promise<NodeImage[]> {
    const found = await Promise.all(this.#links.filter(({ trusted }) => trusted).map(async (link) => link.images()));
    return found.flat();
  }

  async control(container: Container, order: RuntimeOrder): Promise<void> {
    const { id, runtime } = container;
    const link = this.#links.find(
      ({ kind, containers }) => kind === runtime && containers.some((item) => item.id === id),
    );
    if (!link) throw new RuntimeError("absent", `${runtime} does not tell of the container ${id} any more`);
    await link.control(container, order);
  }

  byCgroup(paths: readonly string[]): Container | undefined {
    const before = this.#foundFor.get(paths);
    if (before) return before;
    const key = paths.join("\n");
    const found = this.#found.get(key) ?? this.#byCgroup.find(paths, (id) => this.#byId.get(id));
    if (!found) return undefined;
    if (this.#found.size < foundKept) this.#found.set(key, found);
    this.#foundFor.set(paths, found);
    return found;
  }

  on(event: Change, listener: Listener): () => void {
    this.#listeners[event].add(listener);
    return () => this.#listeners[event].delete(listener);
  }

  async refresh(): Promise<void> {
    await this.#findLinks();
    await Promise.all(this.#links.map(async (link) => link.look()));
    await this.#merge();
  }

  async #check(): Promise<void> {
    await this.#findLinks();
    await Promise.all(this.#links.map(async (link) => link.check()));
  }

  /** A place with `*` may have become several. A link stays for good: what is gone must be said. */
  async #findLinks(): Promise<void> {
    const wanted = await Promise.all(
      this.#patterns.map(async ({ kind, pattern }) => (await expand(pattern)).map((path) => ({ kind, path }))),
    );
    if (this.#closed) return;
    const known = new Map(this.#links.map((link) => [`${link.kind} ${link.path}`, link]));
    this.#links = wanted.flat().map(({ kind, path }) => {
      const link = known.get(`${kind.kind} ${path}`);
      known.delete(`${kind.kind} ${path}`);
      return link ?? new Link({ runtime: kind, path, node: this.#node, looked: async () => this.#merge() });
    });
    for (const gone of known.values()) await gone[Symbol.asyncDispose]();
  }

  /** One at a time; who asks while one waits is served by it. */
  async #merge(): Promise<void> {
    if (this.#mergeWaits) return this.#merging;
    this.#mergeWaits = true;
    this.#merging = this.#mergeAfter(this.#merging);
    return this.#merging;
  }

  async #mergeAfter(current: Promise<void>): Promise<void> {
    await current.catch(() => undefined);
    this.#mergeWaits = false;
    if (this.#isOpen && !this.#closed) await this.#mergeNow();
  }

  async #mergeNow(): Promise<void> {
    const before = this.#entries;
    const entries = new Map<string, Entry>();
    for (const { key, entry } of await this.#living()) if (!entries.has(key)) entries.set(key, entry);
    this.#addStopped(before, entries);

    this.#entries = entries;
    this.#index();
    for (const [key, { container }] of entries) this.#tell(before.get(key)?.container, container);
  }

  /** What the runtimes tell, the best telling first, with what the kernel says of it. */
  async #living(): Promise<{ key: string; entry: Entry }[]> {
    const ordered = [...this.#links.filter(({ trusted }) => trusted), ...this.#links.filter(({ trusted }) => !trusted)];
    const told = ordered.flatMap((link) => link.containers.map((container) => ({ container, link })));
    const awaited = this.#awaited(told);
    const found = await mapLimited(told, 16, async ({ container, link }) =>
      awaited.has(container) ? undefined : this.#entryOf(container, link),
    );
    return found.filter((item) => item !== undefined);
  }

  /** Containers that a richer runtime, which answers, will tell of in a moment, as `orderedBy` explains. */
  #awaited(told: readonly { container: Container; link: Link }[]): Set<Container> {
    const now = Date.now();
    const answering = new Set(this.#links.filter(({ isAnswering }) => isAnswering).map(({ kind }) => kind));
    const awaited = new Set<Container>();
    const since = new Map<string, number>();
    for (const { container } of told) {
      if (!orderedBy(container).some((kind) => answering.has(kind))) continue;
      const key = identityOf(container);
      const first = this.#awaitedSince.get(key) ?? now;
      since.set(key, first);
      if (now - first < patienceForRicher) awaited.add(container);
    }
    this.#awaitedSince = since;
    return awaited;
  }

  async #entryOf(told: Container, link: Link): Promise<{ key: string; entry: Entry } | undefined> {
    const { trusted, error } = link;
    const key = identityOf(told);
    const before = this.#entries.get(key);
    const isStopped = told.state === "stopped";
    // What a richer runtime told of it stays.
    if (isStopped && orderedBy(told).some((kind) => kind === before?.container.runtime)) return undefined;
    // Over before anybody looked, or while somebody did: late events still ask whose they are.
    const isUnseen = (before?.facts?.cgroups.length ?? 0) === 0;
    const seen = isStopped && isUnseen ? link.factsOf(told) : undefined;
    if ((isStopped && !before && !seen) || (told.state === "created" && told.pid === null)) return undefined;

    const isSame =
      before?.told.pid === told.pid &&
      before.told.state === told.state &&
      isStopped === (before.stoppedAt !== undefined);
    const facts = isSame || told.pid === null ? (seen ?? before?.facts) : await processFacts(told.pid);
    // Nobody answers for it any more: it lives as long as its process does.
    if (error && told.pid !== null && (!facts || (await processStat(told.pid))?.startTicks !== facts.startTicks)) {
      return undefined;
    }
    // A user without privilege can only have started what is in a user namespace of its own.
    if (!trusted && (!isStopped || seen) && facts?.ownUserNamespace !== true) return undefined;
    if (isSame && before.told === told) return { key, entry: before };
    const container = complete(told, facts, before?.container);
    const stoppedAt = isStopped ? (before?.stoppedAt ?? Date.now()) : undefined;
    return { key, entry: { told, container, facts, trusted, stoppedAt } };
  }

  #addStopped(before: ReadonlyMap<string, Entry>, entries: Map<string, Entry>): void {
    const now = Date.now();
    for (const [key, entry] of before) {
      if (entries.has(key)) continue;
      const { container } = entry;
      const stopped =
        container.state === "stopped"
          ? container
          : { ...container, state: "stopped" as const, pid: null, finishedAt: container.finishedAt ?? now };
      entries.set(key, { ...entry, container: stopped, stoppedAt: entry.stoppedAt ?? now });
    }
    let kept = 0;
    for (const [key, { stoppedAt }] of [...entries].toReversed()) {
      if (stoppedAt === undefined) continue;
      if (now - stoppedAt > keptAfterStop || ++kept > stoppedLimit) entries.delete(key);
    }
  }

  #index(): void {
    this.#byId = new Map();
    this.#byCgroup = new CgroupIndex();
    this.#found.clear();
    this.#foundFor = new WeakMap();
    for (const { container, facts, trusted, stoppedAt } of this.#entries.values()) {
      const known = this.#byId.get(container.id);
      if (!known || (known.state === "stopped" && stoppedAt === undefined)) this.#byId.set(container.id, container);
      // One that lives has a path before one that had it, and none takes it from a runtime that is trusted.
      const weight = (stoppedAt === undefined ? 2 : 0) + (trusted ? 1 : 0);
      for (const path of facts?.cgroups ?? []) this.#byCgroup.add(path, container, weight);
    }
  }

  #tell(before: Container | undefined, now: Container): void {
    if (before === now) return;
    const [wasUp, isUp] = [isRunning(before), isRunning(now)];
    const isRestart = wasUp && isUp && before?.pid !== now.pid;
    if (before && wasUp && (!isUp || isRestart))
      this.#emit("stopped", isRestart ? { ...before, state: "stopped", pid: null } : now);
    if (isUp && (!wasUp || isRestart)) this.#emit("started", now);
    if (before && wasUp === isUp && !isRestart && !isDeepStrictEqual(before, now)) this.#emit("changed", now);
  }

  #emit(event: Change, container: Container): void {
    for (const listener of this.#listeners[event]) {
      try {
        listener(container);
      } catch (error) {
        // A defect of the listener, shown as one, but not to be had by the other listeners or by what is kept here.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  health(): Component[] {
    return healthOf(
      this.#links,
      this.#patterns.map(({ pattern }) => pattern),
      this.#node,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#links.map(async (link) => link[Symbol.asyncDispose]()));
    await this.#merging;
  }
}

function isRunning(container: Container | undefined): boolean {
  return container?.state === "running" || container?.state === "paused";
}

/** The kernel knows what a runtime does not tell, or tells only by way of a path. */
function complete(told: Container, facts: ProcessFacts | undefined, before: Container | undefined): Container {
  const isLive = told.state !== "stopped" && told.pid !== null;
  // An image with a digest is known by that, so that its root file system may be named by a process that ends.
  const processRoot = isLive && facts && told.image.digest !== null ? `/proc/${told.pid}/root` : null;
  return {
    ...told,
    startedAt: told.startedAt ?? facts?.startedAt ?? before?.startedAt ?? null,
    finishedAt: told.state === "stopped" ? (told.finishedAt ?? before?.finishedAt ?? Date.now()) : null,
    rootfs: told.rootfs ?? processRoot,
    hostNamespaces: facts?.hostNamespaces ?? told.hostNamespaces,
  };
}
