import { setTimeout as sleep } from "node:timers/promises";
import type { Kube, Selection } from "./client.ts";
import { KubeError } from "./error.ts";
import type { KubeObject, Resource } from "./resources.ts";
import { watch } from "./watch.ts";

/** `before` is missing of what is new, `after` of what is gone. A name that was used again at once is two changes. */
export interface Change<T> {
  readonly uid: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

export interface ReflectOptions<T> extends Selection {
  /** What is kept of an object: memory grows with this. Undefined: it is not kept at all. */
  project: (object: KubeObject) => T | undefined;
  /** Told in order, one list or event at a time; the reflection waits for it. */
  onChange?: (changes: readonly Change<T>[]) => Promise<void> | void;
  signal: AbortSignal;
  /** As for `watch`. */
  idle?: number;
  /** Milliseconds before the first new attempt, doubled each time up to a minute; 500 unless told. */
  backoff?: number;
}

export interface ReflectionHealth {
  readonly synced: boolean;
  /** When something last came from the server, in milliseconds since 1970. */
  readonly heard: number;
  readonly lists: number;
  readonly watches: number;
  readonly events: number;
  /** What went wrong last, and is not mended yet. */
  readonly problem: string | undefined;
}

export interface Reflection<T> {
  /** By uid. */
  readonly items: ReadonlyMap<string, T>;
  /** Resolves with the first complete list; rejects only when it is stopped before. */
  readonly synced: Promise<void>;
  health(): ReflectionHealth;
  /** Resolves when it has stopped: with its signal, never by itself. */
  readonly stopped: Promise<void>;
}

const maxBackoff = 60_000;

/**
 * Keeps what is in the cluster: a list, then what changes, and a list again where the server no longer knows what
 * changed. Goes on through every failure until the signal; how it fares is in its health.
 */
export function reflect<T>(kube: Kube, resource: Resource, options: ReflectOptions<T>): Reflection<T> {
  const reflector = new Reflector(kube, resource, options);
  const first = Promise.withResolvers<undefined>();
  const stopped = reflector
    .run(() => first.resolve(undefined))
    .finally(() => {
      first.reject(new Error("stopped before the first list was complete"));
    });
  const synced = first.promise.then(() => undefined);
  // Whoever does not wait for it need not hear of it.
  synced.catch(() => undefined);
  return { items: reflector.items, synced, stopped, health: () => reflector.health() };
}

class Reflector<T> {
  readonly items = new Map<string, T>();
  readonly #kube: Kube;
  readonly #resource: Resource;
  readonly #options: ReflectOptions<T>;
  /** Of objects that are not kept too, so that a version is known for all of them. */
  #version = "";
  #synced = false;
  #heard = 0;
  #lists = 0;
  #watches = 0;
  #events = 0;
  #problem: string | undefined;

  constructor(kube: Kube, resource: Resource, options: ReflectOptions<T>) {
    this.#kube = kube;
    this.#resource = resource;
    this.#options = options;
  }

  health(): ReflectionHealth {
    return {
      ...{ synced: this.#synced, heard: this.#heard, lists: this.#lists, watches: this.#watches },
      ...{ events: this.#events, problem: this.#problem },
    };
  }

  async run(onSynced: () => void): Promise<void> {
    const { signal, backoff = 500 } = this.#options;
    let wait = backoff;
    while (!signal.aborted) {
      try {
        if (this.#version === "") {
          await this.#list();
          this.#synced = true;
          onSynced();
        }
        const before = this.#events;
        await this.#watch();
        this.#problem = undefined;
        wait = backoff;
        // A server that ends every stream at once is not asked in a loop.
        if (this.#events === before) await pause(backoff, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof KubeError && error.code === "gone") {
          this.#version = "";
          continue;
        }
        this.#problem = error instanceof Error ? error.message : String(error);
        const asked = error instanceof KubeError ? error.retryAfter : undefined;
        await pause(Math.max(asked ?? 0, wait * (0.5 + Math.random())), signal);
        wait = Math.min(wait * 2, maxBackoff);
      }
    }
  }

  /** A whole list, page by page; what is no longer in it is gone. */
  async #list(): Promise<void> {
    const { project, signal, namespace, labelSelector, fieldSelector } = this.#options;
    const seen = new Set<string>();
    this.#lists++;
    const selection = { namespace, labelSelector, fieldSelector, signal };
    let version = "";
    for await (const page of this.#kube.pages(this.#resource, selection)) {
      this.#heard = Date.now();
      ({ resourceVersion: version } = page);
      const changes: Change<T>[] = [];
      for (const object of page.items) {
        seen.add(object.metadata.uid);
        this.#put(object.metadata.uid, project(object), changes);
      }
      await this.#tell(changes);
    }
    const gone: Change<T>[] = [];
    for (const uid of this.items.keys()) if (!seen.has(uid)) this.#put(uid, undefined, gone);
    await this.#tell(gone);
    this.#version = version;
    this.#problem = undefined;
  }

  async #watch(): Promise<void> {
    const { project, signal, namespace, labelSelector, fieldSelector, idle } = this.#options;
    this.#watches++;
    const stream = watch(this.#kube, this.#resource, {
      ...{ namespace, labelSelector, fieldSelector, signal, resourceVersion: this.#version },
      ...(idle === undefined ? {} : { idle }),
    });
    for await (const { type, object } of stream) {
      this.#heard = Date.now();
      this.#problem = undefined;
      if (type !== "BOOKMARK") {
        this.#events++;
        const changes: Change<T>[] = [];
        const { uid } = object.metadata;
        this.#put(uid, type === "DELETED" ? undefined : project(object), changes);
        await this.#tell(changes);
      }
      this.#version = object.metadata.resourceVersion;
    }
  }

  #put(uid: string, after: T | undefined, changes: Change<T>[]): void {
    const before = this.items.get(uid);
    if (after === undefined) this.items.delete(uid);
    else this.items.set(uid, after);
    if (before !== undefined || after !== undefined) changes.push({ uid, before, after });
  }

  async #tell(changes: readonly Change<T>[]): Promise<void> {
    if (changes.length > 0) await this.#options.onChange?.(changes);
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
