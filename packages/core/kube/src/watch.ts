import type { IncomingMessage } from "node:http";
import type { Kube } from "./client.ts";
import { KubeError, statusError, unreachable, type Status } from "./error.ts";
import type { KubeResource } from "./resources.ts";
import type { Query } from "./transport.ts";

export interface WatchEvent {
  /** A bookmark says only how far one is. */
  readonly type: "ADDED" | "BOOKMARK" | "DELETED" | "MODIFIED";
  readonly object: KubeResource;
}

export interface WatchOptions {
  /** Where to go on. */
  resourceVersion: string;
  /** Selectors of fields and labels. */
  query?: Query;
  signal?: AbortSignal | undefined;
  /** Milliseconds without a byte after which the connection counts as dead; 150,000 unless told: a bookmark comes about each minute. */
  idle?: number | undefined;
}

/** etcd takes 1.5 MiB; what is much longer is not one of its objects. */
const maxLine = 16 * 2 ** 20;
const defaultIdle = 150_000;
/** Seconds after which the server ends a watch; half as much again by chance, so that watches spread. */
const watchFor = 300;

/**
 * What changes in a collection (`/api/v1/pods`), until the server ends the stream, which is no error. Raises a `KubeError`:
 * `gone` where the version is no longer kept (list again), `unreachable` where the connection is cut, also half way
 * through an object, or silent.
 */
export async function* watch(kube: Kube, path: string, options: WatchOptions): AsyncGenerator<WatchEvent> {
  const { resourceVersion, query, signal, idle = defaultIdle } = options;
  const what = `watch ${path}`;
  const timeoutSeconds = Math.round(watchFor * (1 + Math.random() / 2));
  const response = await kube.transport.send({
    ...{ method: "GET", path, what, signal },
    query: { ...query, watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds },
  });
  for await (const line of lines(response, { what, server: kube.server, idle })) {
    const event = parseEvent(line, what);
    if (event.type === "ERROR") throw statusError(what, event.object as unknown as Status, 500);
    yield event as WatchEvent;
  }
}

interface RawEvent {
  type: string;
  object: KubeResource;
}

function parseEvent(line: string, what: string): RawEvent {
  let event: Partial<RawEvent>;
  try {
    event = JSON.parse(line) as Partial<RawEvent>;
  } catch (error) {
    throw new KubeError("unreachable", `${what}: cut half way through an object`, { cause: error });
  }
  const { type, object } = event;
  if (type === undefined || typeof object !== "object") {
    throw new KubeError("bad-response", `${what}: what came is no event`);
  }
  return { type, object };
}

interface Reading {
  what: string;
  server: string;
  idle: number;
}

async function* lines(response: IncomingMessage, { what, server, idle }: Reading): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  response.setTimeout(idle, () => response.destroy(new Error(`silent for ${idle / 1000} s`)));
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const text = decoder.decode(chunk, { stream: true });
      let from = 0;
      // Only what is new is searched: a large object comes in many pieces.
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
        const line = rest + text.slice(from, end);
        rest = "";
        from = end + 1;
        if (line !== "") yield line;
      }
      rest += text.slice(from);
      if (rest.length > maxLine) throw new KubeError("too-large", `${what}: an object of more than ${maxLine} bytes`);
    }
  } catch (error) {
    if (error instanceof KubeError || response.errored?.name === "AbortError") throw error;
    throw unreachable(what, server, error);
  } finally {
    response.destroy();
  }
  if (rest.trim() !== "") yield rest;
}
