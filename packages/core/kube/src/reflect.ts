import { setTimeout as sleep } from "node:timers/promises";
import type { Kube } from "./client.ts";
import { KubeError } from "./error.ts";
import type { KubeResource } from "./resources.ts";
import type { Query } from "./transport.ts";
import { watch } from "./watch.ts";

/** What keeps up with the objects of one collection. Each is awaited: who is slow slows the reading, and nothing piles up. */
export interface Mirror {
  /** A part of a whole list. */
  page(objects: KubeResource[]): Promise<void>;
  /** The list is at its end: what it did not have has gone. */
  listed(): Promise<void>;
  put(object: KubeResource): Promise<void>;
  gone(object: KubeResource): Promise<void>;
  /** What is mirrored was current at this moment. */
  heard(): void;
  /** It is tried again in so many milliseconds. */
  failed(error: KubeError, retryIn: number): void;
}

export interface ReflectOptions {
  fieldSelector?: string;
  labelSelector?: string;
  signal: AbortSignal;
  /** First pause after a failure; it doubles up to half a minute. Milliseconds. */
  firstPause?: number;
  /** As for `watch`. */
  idle?: number;
  /** Bytes of a page of a list that are read at a time; 32 MiB unless told. */
  pageBytes?: number;
}

const pageSize = 500;
const pageLimit = 32 * 2 ** 20;
const lastPause = 30_000;
const soon = 1000;

/**
 * Lists a collection and follows it, for ever: a watch that ends goes on from the last version that was seen, one that
 * is too old is listed anew, and a failure is waited for with growing pauses. Resolves when `signal` aborts.
 *
 *     await reflect(kube, "/api/v1/pods", mirror, { signal, fieldSelector: "spec.nodeName=worker-1" });
 */
export async function reflect(
  kube: Kube,
  path: string,
  mirror: Mirror,
  { fieldSelector, labelSelector, signal, firstPause = 500, idle, pageBytes = pageLimit }: ReflectOptions,
): Promise<void> {
  const pages: Paging = { size: pageSize, most: pageBytes };
  const query: Query = { fieldSelector, labelSelector };
  let version: string | undefined;
  let pause = firstPause;
  while (!signal.aborted) {
    let from = Infinity;
    try {
      version ??= await list(kube, path, query, mirror, pages, signal);
      mirror.heard();
      from = performance.now();
      version = await follow(kube, path, query, mirror, { resourceVersion: version, signal, idle }, (seen) => {
        version = seen;
        pause = firstPause;
      });
      // Something between here and the API server that ends watches at once must not be asked without end.
      if (performance.now() - from > soon) pause = firstPause;
      else {
        await sleep(pause, undefined, { signal }).catch(() => undefined);
        pause = Math.min(pause * 2, lastPause);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof KubeError)) throw error;
      if (error.code === "gone") version = undefined;
      // A watch that held for a while was sound: what ends it is a new failure.
      if (performance.now() - from > soon) pause = firstPause;
      const retryIn = error.retryAfter ?? pause * (0.75 + Math.random() / 2);
      mirror.failed(error, retryIn);
      await sleep(retryIn, undefined, { signal }).catch(() => undefined);
      pause = Math.min(pause * 2, lastPause);
    }
  }
}

interface Paging {
  /** Objects in a page: fewer where they are large. */
  size: number;
  /** Bytes. */
  most: number;
}

/**
 * Answers with the version of the whole list. Objects are read and handed on page by page, so that what is held does not
 * grow with the list: of large objects a page has fewer.
 */
async function list(
  kube: Kube,
  path: string,
  query: Query,
  mirror: Mirror,
  pages: Paging,
  signal: AbortSignal,
): Promise<string> {
  let next: string | undefined;
  for (;;) {
    const asked = { ...query, limit: pages.size, continue: next };
    let answer: Partial<ObjectList>;
    try {
      answer = (await kube.read(path, { query: asked, signal, most: pages.most })) as Partial<ObjectList>;
    } catch (error) {
      if (!(error instanceof KubeError) || error.code !== "too-large" || pages.size === 1) throw error;
      pages.size = Math.ceil(pages.size / 4);
      continue;
    }
    if (!Array.isArray(answer.items) || answer.metadata?.resourceVersion === undefined) {
      throw new KubeError("bad-response", `${path}: the answer is no list`);
    }
    await mirror.page(answer.items.filter(isObject));
    const before = next;
    next = answer.metadata.continue === "" ? undefined : answer.metadata.continue;
    if (next !== undefined && next === before) throw new KubeError("bad-response", `${path}: the list has no end`);
    if (next !== undefined) continue;
    await mirror.listed();
    return answer.metadata.resourceVersion;
  }
}
interface ObjectList {
  metadata: { resourceVersion?: string; continue?: string };
  items: KubeResource[];
}

async function follow(
  kube: Kube,
  path: string,
  query: Query,
  mirror: Mirror,
  { resourceVersion, signal, idle }: { resourceVersion: string; signal: AbortSignal; idle: number | undefined },
  seen: (version: string) => void,
): Promise<string> {
  let version = resourceVersion;
  for await (const { type, object } of watch(kube, path, { query, resourceVersion, signal, idle })) {
    if (!isObject(object)) throw new KubeError("bad-response", `${path}: the watch sent no object`);
    if (type === "DELETED") await mirror.gone(object);
    else if (type !== "BOOKMARK") await mirror.put(object);
    version = object.metadata.resourceVersion;
    seen(version);
    mirror.heard();
  }
  return version;
}

/** A bookmark is an object of which only the version is known. */
function isObject(value: unknown): value is KubeResource {
  const metadata = (value as Partial<KubeResource> | null)?.metadata;
  return typeof metadata?.resourceVersion === "string";
}
