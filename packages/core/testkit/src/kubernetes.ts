import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** An object with what every one has; missing parts of the metadata are made. */
export interface FakeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    labels?: Record<string, string>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** What goes wrong, until it is set back. */
export interface KubernetesFaults {
  /** Connections are cut without an answer. */
  down: boolean;
  /** This many requests are answered 429, with these seconds to wait. */
  busy: { requests: number; seconds: number };
  /** The next watches are refused as too old: by their status, or by an event in the stream. */
  gone: "event" | "status" | undefined;
  /** Watches say nothing, not even what happens. */
  silent: boolean;
}

export interface FakeKubernetes extends AsyncDisposable {
  readonly url: string;
  readonly faults: KubernetesFaults;
  /** What was asked so far. */
  readonly counts: { requests: number; lists: number; watches: number; refused: number };
  /** Creates or replaces an object, by its path's plural (`pods`). The uid is the one given, or a new one. */
  put(plural: string, object: FakeObject): FakeObject;
  remove(plural: string, name: string, namespace?: string): void;
  objects(plural: string): FakeObject[];
  /** Forgets what happened so far: every older watch is gone, every page of a list too. */
  compact(): void;
  /** Cuts every open watch, half way through an object. */
  cut(): void;
  /** Sends every open watch a bookmark. */
  bookmark(): void;
  watchers(): number;
  close(): Promise<void>;
}

interface Event {
  version: number;
  plural: string;
  type: "ADDED" | "DELETED" | "MODIFIED";
  object: FakeObject;
}
interface Watcher {
  plural: string;
  response: ServerResponse;
  matches(object: FakeObject): boolean;
}

/** An API server in this process, over plain HTTP: lists by page, watches with history, and what can go wrong with them. */
export async function fakeKubernetes(): Promise<FakeKubernetes> {
  const faults: KubernetesFaults = {
    down: false,
    busy: { requests: 0, seconds: 1 },
    gone: undefined,
    silent: false,
  };
  const counts = { requests: 0, lists: 0, watches: 0, refused: 0 };
  const stored = new Map<string, Map<string, FakeObject>>();
  const watchers = new Set<Watcher>();
  let history: Event[] = [];
  let version = 1;
  let oldest = 0;

  const ofKind = (plural: string): Map<string, FakeObject> => {
    const known = stored.get(plural) ?? new Map<string, FakeObject>();
    stored.set(plural, known);
    return known;
  };
  const keyOf = (name: string, namespace = ""): string => `${namespace}/${name}`;
  const record = (event: Event): void => {
    history.push(event);
    if (faults.silent) return;
    for (const watcher of watchers) {
      if (watcher.plural === event.plural && watcher.matches(event.object)) send(watcher.response, event);
    }
  };
  const put = (plural: string, given: FakeObject): FakeObject => {
    const { name, namespace } = given.metadata;
    const before = ofKind(plural).get(keyOf(name, namespace));
    const uid = given.metadata.uid ?? before?.metadata.uid ?? randomUUID();
    version++;
    const object: FakeObject = {
      ...given,
      metadata: {
        creationTimestamp: new Date().toISOString(),
        ...given.metadata,
        uid,
        resourceVersion: String(version),
      },
    };
    ofKind(plural).set(keyOf(name, namespace), object);
    record({ version, plural, type: before ? "MODIFIED" : "ADDED", object });
    return object;
  };
  const remove = (plural: string, name: string, namespace?: string): void => {
    const object = ofKind(plural).get(keyOf(name, namespace));
    if (!object) return;
    ofKind(plural).delete(keyOf(name, namespace));
    version++;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    record({ version, plural, type: "DELETED", object: last });
  };

  const list = (target: Target, query: URLSearchParams, response: ServerResponse): void => {
    counts.lists++;
    const all = [...ofKind(target.plural).values()].filter(matcher(target, query));
    const [from = 0, at = version] = (query.get("continue") ?? `0,${version}`).split(",").map(Number);
    if (at < oldest) {
      answer(response, status(410, "Expired", "the page is no longer kept"));
      return;
    }
    const limit = Number(query.get("limit") ?? 0) || Infinity;
    const more = from + limit < all.length;
    answer(response, {
      kind: "List",
      apiVersion: "v1",
      metadata: { resourceVersion: String(at), ...(more ? { continue: `${from + limit},${at}` } : {}) },
      items: all.slice(from, from + limit),
    });
  };
  const watch = (target: Target, query: URLSearchParams, response: ServerResponse): void => {
    counts.watches++;
    const since = Number(query.get("resourceVersion") ?? 0);
    const tooOld = status(410, "Expired", `too old resource version: ${since}`);
    if (faults.gone === "status") {
      answer(response, tooOld);
      return;
    }
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    if (faults.gone === "event" || since < oldest) {
      response.end(`${JSON.stringify({ type: "ERROR", object: tooOld })}\n`);
      return;
    }
    const watcher = { plural: target.plural, response, matches: matcher(target, query) };
    if (!faults.silent) {
      for (const event of history) {
        if (event.version > since && event.plural === target.plural && watcher.matches(event.object))
          send(response, event);
      }
    }
    watchers.add(watcher);
    response.on("close", () => watchers.delete(watcher));
  };
  const change = async (target: Target, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { plural, name, namespace } = target;
    if (request.method === "GET" && name !== undefined) {
      answer(response, ofKind(plural).get(keyOf(name, namespace)) ?? status(404, "NotFound", `no ${plural} ${name}`));
    } else if (request.method === "DELETE" && name !== undefined) {
      remove(plural, name, namespace);
      answer(response, status(200, "", ""));
    } else {
      const body = (await json(request)) as FakeObject;
      const named = name ?? body.metadata.name;
      const before = ofKind(plural).get(keyOf(named, namespace));
      if (request.method === "POST" && before) {
        answer(response, status(409, "AlreadyExists", `${plural} ${named} is there already`));
        return;
      }
      const metadata = { ...before?.metadata, ...body.metadata, name: named, ...(namespace ? { namespace } : {}) };
      answer(response, put(plural, { ...before, ...body, metadata }));
    }
  };

  const server = createServer((request, response) => {
    counts.requests++;
    if (faults.down) {
      request.socket.destroy();
      return;
    }
    if (faults.busy.requests > 0) {
      faults.busy.requests--;
      counts.refused++;
      response.setHeader("retry-after", String(faults.busy.seconds));
      answer(response, status(429, "TooManyRequests", "too many requests"));
      return;
    }
    const url = new URL(request.url ?? "/", "http://localhost");
    if (url.pathname === "/version") {
      answer(response, { gitVersion: "v1.36.3" });
      return;
    }
    const target = targetOf(url.pathname);
    if (!target) answer(response, status(404, "NotFound", "no such path"));
    else if (request.method === "GET" && target.name === undefined) {
      if (url.searchParams.has("watch")) watch(target, url.searchParams, response);
      else list(target, url.searchParams, response);
    } else {
      change(target, request, response).catch((error: unknown) => response.destroy(error as Error));
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return {
    ...{ url: `http://127.0.0.1:${port}`, faults, counts, put, remove, close },
    objects: (plural) => [...ofKind(plural).values()],
    compact() {
      history = [];
      oldest = ++version;
    },
    cut() {
      for (const { response } of watchers) {
        response.write('{"type":"MODIFIED","object":{"kind":"Pod","meta');
        setTimeout(() => response.destroy(), 20);
      }
    },
    bookmark() {
      version++;
      for (const { response } of watchers) {
        const object = { kind: "Pod", apiVersion: "v1", metadata: { resourceVersion: String(version) } };
        response.write(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
      }
    },
    watchers: () => watchers.size,
    [Symbol.asyncDispose]: close,
  };
}

interface Target {
  plural: string;
  namespace: string | undefined;
  name: string | undefined;
}

function targetOf(path: string): Target | undefined {
  const match = /^\/(?:api\/v1|apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?/.exec(path);
  const [, namespace, plural, name] = match ?? [];
  return plural === undefined ? undefined : { plural, namespace, name };
}

/** By namespace, by equality of labels, and by the node or name of a pod. */
function matcher({ namespace }: Target, query: URLSearchParams): (object: FakeObject) => boolean {
  const pairs = (text: string | null): [string, string][] =>
    (text ?? "").split(",").flatMap((part) => {
      const [key = "", value = ""] = part.split(/==?/);
      return key === "" ? [] : [[key, value] as [string, string]];
    });
  const labels = pairs(query.get("labelSelector"));
  const fields = pairs(query.get("fieldSelector"));
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    labels.every(([key, value]) => object.metadata.labels?.[key] === value) &&
    fields.every(([key, value]) => fieldAt(object, key) === value);
}

function fieldAt(object: FakeObject, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object);
}

function status(code: number, reason: string, message: string): object {
  return { kind: "Status", apiVersion: "v1", status: code < 300 ? "Success" : "Failure", code, reason, message };
}

function answer(response: ServerResponse, body: object): void {
  const code = (body as { kind?: string; code?: number }).kind === "Status" ? (body as { code: number }).code : 200;
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function send(response: ServerResponse, { type, object }: Event): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}
