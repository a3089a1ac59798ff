import type { Component, Container } from "@bulwark/model";
import { errorText } from "@bulwark/model";
import { ancestry, cgroupsOf, idOfCgroup } from "./cgroups.ts";
import { RuntimeError } from "./error.ts";
import type { ContainerRegistry, ContentPlace, RuntimeSource, Watch } from "./registry.ts";
import { defaultPaths, isThere, runtimePlaces, type RuntimePaths, type RuntimePlace } from "./runtimes/index.ts";

export interface ContainersOptions {
  /** Name of this node. */
  node: string;
  paths?: { [K in keyof RuntimePaths]?: RuntimePaths[K] | undefined };
}

/** A container that has stopped is kept so long, so that late events still find it. */
const keptAfterStop = 60_000;
/** Runtimes may come and go: how often their places are looked at, and all lists are read again. */
const lookInterval = 10_000;
const firstRetry = 500;
const lastRetry = 30_000;
/** Changes that come together are answered by one look. */
const settle = 20;

/** Finds the runtimes of this machine and keeps up with their containers. Never fails: what does not work is in `health()`. */
export async function openContainers(options: ContainersOptions): Promise<ContainerRegistry> {
  const registry = new Registry(options);
  await registry.refresh();
  registry.start();
  return registry;
}

function withDefaults(paths: ContainersOptions["paths"] = {}): RuntimePaths {
  const given = Object.entries(paths).filter(([, list]) => list !== undefined);
  return { ...defaultPaths, ...(Object.fromEntries(given) as Partial<RuntimePaths>) };
}

interface Link {
  place: RuntimePlace;
  source: RuntimeSource | undefined;
  watch: Watch | undefined;
  containers: Container[];
  error: RuntimeError | undefined;
  retryAt: number;
  retryDelay: number;
}

type Listener = (container: Container) => void;

class Registry implements ContainerRegistry {
  readonly #node: string;
  readonly #links: Link[];
  readonly #listeners = { started: new Set<Listener>(), stopped: new Set<Listener>(), changed: new Set<Listener>() };
  #containers = new Map<string, Container>();
  #stoppedAt = new Map<string, number>();
  #byCgroup = new Map<string, string>();
  #cgroups = new Map<string, { pid: number; paths: string[] }>();
  #looking: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ node, paths }: ContainersOptions) {
    this.#node = node;
    this.#links = runtimePlaces(withDefaults(paths)).map((place) => ({
      place,
      source: undefined,
      watch: undefined,
      containers: [],
      error: undefined,
      retryAt: 0,
      retryDelay: firstRetry,
    }));
  }

  start(): void {
    this.#timer = setInterval(() => void this.refresh(), lookInterval);
  }

  containers(): Container[] {
    return [...this.#containers.values()];
  }

  byId(id: string): Container | undefined {
    return this.#containers.get(id);
  }

  contentOf({ id, runtime, runtimeNamespace: namespace }: Container): ContentPlace | undefined {
    if (runtime !== "containerd") return undefined;
    const link = this.#links.find(
      ({ place, containers }) => place.kind === runtime && containers.some((item) => item.id === id),
    );
    return link && { socket: link.place.path, namespace };
  }

  byCgroup(paths: readonly string[]): Container | undefined {
    for (const path of paths) {
      for (const at of ancestry(path)) {
        const id = this.#byCgroup.get(at) ?? idOfCgroup(at);
        const found = id === undefined ? undefined : this.#containers.get(id);
        if (found) return found;
      }
    }
    return undefined;
  }

  on(event: "started" | "stopped" | "changed", listener: Listener): () => void {
    this.#listeners[event].add(listener);
    return () => this.#listeners[event].delete(listener);
  }

  /** One look at a time; who asks during a look gets the one after it, which has seen what they saw. */
  async refresh(): Promise<void> {
    if (this.#closed) return;
    if (this.#looking) {
      this.#again = true;
      await this.#looking;
      return;
    }
    this.#looking = this.#lookUntilQuiet().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async #lookUntilQuiet(): Promise<void> {
    do {
      this.#again = false;
      await Promise.all(this.#links.map(async (link) => this.#look(link)));
      await this.#merge();
    } while (this.#again && !this.#closed);
  }

  async #look(link: Link): Promise<void> {
    if (!isThere(link.place)) {
      if (link.source) await this.#drop(link, new RuntimeError("absent", `${link.place.path} is gone`));
      else link.error = undefined;
      return;
    }
    if (!link.source && Date.now() < link.retryAt) return;
    try {
      link.source ??= link.place.open(this.#node);
      link.watch ??= await this.#watch(link, link.source);
      link.containers = await link.source.list();
      link.error = undefined;
      link.retryDelay = firstRetry;
    } catch (error) {
      const known =
        error instanceof RuntimeError ? error : new RuntimeError("failed", errorText(error), { cause: error });
      await this.#drop(link, known);
    }
  }

  async #watch(link: Link, source: RuntimeSource): Promise<Watch> {
    const watch = await source.watch(() => this.#soon());
    const lost = (): void => {
      if (link.watch === watch && !this.#closed) {
        void this.#drop(link, new RuntimeError("failed", `${link.place.path}: its events have ended`)).then(() =>
          this.#soon(),
        );
      }
    };
    watch.ended.then(lost, lost);
    return watch;
  }

  /** Closes what is broken; it is tried again later. Its containers stay until a look says otherwise. */
  async #drop(link: Link, error: RuntimeError): Promise<void> {
    const { source, watch } = link;
    link.source = undefined;
    link.watch = undefined;
    link.error = error;
    link.retryAt = Date.now() + link.retryDelay;
    setTimeout(() => this.#soon(), link.retryDelay).unref();
    link.retryDelay = Math.min(link.retryDelay * 2, lastRetry);
    await Promise.allSettled([watch?.[Symbol.asyncDispose](), source?.[Symbol.asyncDispose]()]);
  }

  #soon(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      void this.refresh();
    }, settle);
  }

  /** One view of all runtimes. Links are ordered richest first, so that of two that tell of one container the first wins. */
  async #merge(): Promise<void> {
    const now = Date.now();
    const merged = new Map<string, Container>();
    for (const { containers } of this.#links) {
      for (const container of containers) if (!merged.has(container.id)) merged.set(container.id, container);
    }
    for (const [id, before] of this.#containers) {
      if (!merged.has(id))
        merged.set(id, { ...before, state: "stopped", pid: null, finishedAt: before.finishedAt ?? now });
    }
    for (const [id, container] of merged) {
      if (container.state !== "stopped") this.#stoppedAt.delete(id);
      else if (!this.#stoppedAt.has(id)) this.#stoppedAt.set(id, now);
      if (now - (this.#stoppedAt.get(id) ?? now) > keptAfterStop) merged.delete(id);
    }
    for (const id of this.#stoppedAt.keys()) if (!merged.has(id)) this.#stoppedAt.delete(id);

    const before = this.#containers;
    this.#containers = merged;
    await this.#mapCgroups();
    for (const [id, container] of merged) this.#tell(before.get(id), container);
  }

  async #mapCgroups(): Promise<void> {
    const known = this.#cgroups;
    const next = new Map<string, { pid: number; paths: string[] }>();
    for (const { id, pid } of this.#containers.values()) {
      const old = known.get(id);
      if (pid === null || old?.pid === pid) {
        if (old) next.set(id, old);
        continue;
      }
      next.set(id, { pid, paths: await cgroupsOf(pid) });
    }
    this.#cgroups = next;
    this.#byCgroup = new Map([...next].flatMap(([id, { paths }]) => paths.map((path) => [path, id] as const)));
    this.#forgetShared();
  }

  /** A path that several containers are in (Bulwark's own machine, a session's scope) names none of them. */
  #forgetShared(): void {
    const owners = new Map<string, number>();
    for (const { paths } of this.#cgroups.values())
      for (const path of paths) owners.set(path, (owners.get(path) ?? 0) + 1);
    for (const [path, count] of owners) if (count > 1) this.#byCgroup.delete(path);
  }

  #tell(before: Container | undefined, now: Container): void {
    if (before?.state === now.state && before.pid === now.pid && before.name === now.name) return;
    const wasUp = before !== undefined && before.state !== "stopped";
    const isUp = now.state !== "stopped";
    const event = isUp && !wasUp ? "started" : wasUp && !isUp ? "stopped" : before ? "changed" : undefined;
    if (event) for (const listener of this.#listeners[event]) listener(now);
  }

  health(): Component[] {
    const now = Date.now();
    const found = this.#links.filter(({ source, error }) => source !== undefined || error !== undefined);
    const components = found
      .filter(
        ({ place, containers, error }) =>
          error !== undefined || (place.kind !== "runc" && place.kind !== "crun") || containers.length > 0,
      )
      .map((link) => this.#component(link, now));
    if (components.length > 0) return components;
    const places = this.#links.map(({ place }) => place.path).join(", ");
    return [
      {
        id: "runtime",
        node: this.#node,
        state: "off",
        summary: "no container runtime",
        reason: `nothing at ${places}`,
        remedy: "start a container runtime, for example: apt-get install containerd; it is found by itself",
        counters: {},
        updatedAt: now,
      },
    ];
  }

  #component({ place, containers, error }: Link, updatedAt: number): Component {
    const running = containers.filter(({ state }) => state !== "stopped").length;
    return {
      id: `runtime:${place.kind}`,
      node: this.#node,
      state: error === undefined ? "ok" : error.code === "denied" ? "off" : error.code === "absent" ? "off" : "failed",
      summary: error === undefined ? `${running} containers run (${place.path})` : `not readable at ${place.path}`,
      reason: error?.message ?? "",
      remedy: error?.remedy ?? (error ? "it is tried again by itself" : ""),
      counters: { containers: running },
      updatedAt,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#settling);
    await this.#looking;
    const open = this.#links.flatMap(({ watch, source }) => [watch, source]);
    await Promise.allSettled(open.map(async (item) => item?.[Symbol.asyncDispose]()));
  }
}
