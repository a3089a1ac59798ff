import type { IncomingMessage } from "node:http";
import { selectionQuery, type Kube, type Selection } from "./client.ts";
import { KubeError, statusError, type Status } from "./error.ts";
import { pathOf, type KubeObject, type Resource } from "./resources.ts";

export interface WatchEvent {
  /** A bookmark says only how far one is. */
  readonly type: "ADDED" | "BOOKMARK" | "DELETED" | "MODIFIED";
  readonly object: KubeObject;
}

export interface WatchOptions extends Selection {
  /** Where to go on. */
  resourceVersion: string;
  signal?: AbortSignal | undefined;
  /** Milliseconds without a byte after which the connection counts as dead; 120,000 unless told. */
  idle?: number;
  /** Seconds after which the server ends it in order; between 5 and 10 minutes unless told. */
  timeoutSeconds?: number;
}

/** etcd takes 1.5 MiB; what is much longer is not one of its objects. */
const maxLine = 16 * 2 ** 20;
const defaultIdle = 120_000;

/**
 * What changes, until the server ends the stream, which is no error. Raises a `KubeError`: `gone` where the version is
 * no longer kept (list again), `unreachable` where the connection is cut, also half way through an object, or silent.
 */
export async function* watch(kube: Kube, resource: Resource, options: WatchOptions): AsyncGenerator<WatchEvent> {
  const { namespace, resourceVersion, signal, idle = defaultIdle } = options;
  const what = `watch ${resource.plural}${namespace === undefined ? "" : ` in ${namespace}`}`;
  const response = await kube.transport.send({
    method: "GET",
    path: pathOf(resource, { namespace }),
    query: {
      ...selectionQuery(options),
      ...{ watch: "1", allowWatchBookmarks: "true", resourceVersion },
      timeoutSeconds: options.timeoutSeconds ?? 300 + Math.floor(Math.random() * 300),
    },
    what,
    signal,
  });
  for await (const line of lines(response, what, idle)) {
    const event = parseEvent(line, what);
    if (event.type === "ERROR") throw statusError(what, event.object as unknown as Status, 500);
    yield event as WatchEvent;
  }
}

interface RawEvent {
  type: string;
  object: KubeObject;
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

async function* lines(response: IncomingMessage, what: string, idle: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  response.setTimeout(idle, () => response.destroy(new Error(`silent for ${idle / 1000} s`)));
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      rest += decoder.decode(chunk, { stream: true });
      const parts = rest.split("\n");
      rest = parts.pop() ?? "";
      if (rest.length > maxLine)
        throw new KubeError("bad-response", `${what}: an object of more than ${maxLine} bytes`);
      for (const part of parts) if (part !== "") yield part;
    }
  } catch (error) {
    if (error instanceof KubeError || response.errored?.name === "AbortError") throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new KubeError("unreachable", `${what}: ${reason}`, { cause: error });
  } finally {
    response.destroy();
  }
  if (rest.trim() !== "") yield rest;
}
