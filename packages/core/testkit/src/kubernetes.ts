import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** What a fake API server keeps; its resource version is set by it. */
export interface FakeObject {
  kind: string;
  apiVersion: string;
  metadata: { name: string; namespace?: string; uid: string; resourceVersion?: string; [other: string]: unknown };
  [other: string]: unknown;
}

/** An API server in this process that lists and is watched, and has the bad days of a real one. */
export interface FakeKubernetes extends AsyncDisposable {
  readonly url: string;
  /** As `connect` of `@bulwark/kube` takes it. */
  readonly access: { server: string; namespace: string; token(): Promise<undefined> };
  /** By the path of the collection over all namespaces: `/api/v1/pods`. */
  put(path: string, ...objects: FakeObject[]): void;
  remove(path: string, uid: string): void;
  /** What is there now. */
  objects(path: string): FakeObject[];
  /** Answers nothing, and cuts what is open, until `back`. */
  away(): void;
  back(): void;
  /** Forgets what happened: whoever asks from an older version gets 410. */
  compact(): void;
  /** Tells every watch that its version is too old, as a server does whose clients are slow. */
  expire(): void;
  /** Cuts every watch; `half`: with the first half of a message before. */
  drop(options?: { half?: FakeObject }): void;
  /** The next so many requests get this status. */
  refuse(status: number, times: number, headers?: Record<string, string>): void;
  /** From now on only what `allows` says is answered; the rest gets 403, and is told to `allows` alone. */
  authorize(allows: (request: FakeRequest) => boolean): void;
  bookmark(): void;
  readonly requests: { lists: number; watches: number; refused: number };
  readonly watching: number;
  /** Messages that went out over watches. */
  readonly sent: number;
}

/** As an authorizer is asked. */
export interface FakeRequest {
  verb: string;
  group: string;
  resource: string;
  namespace: string | null;
  name: string | undefined;
}

interface Watch {
  path: string;
  field: [string, string] | undefined;
  response: ServerResponse;
}
interface Change {
  version: number;
  path: string;
  type: string;
  object: FakeObject;
}

const ofCollection = /^(.*?)(?:\/namespaces\/([^/]+))?\/([^/]+)$/;
const ofObject = /^(.*?)(?:\/namespaces\/([^/]+))?\/([^/]+)\/([^/]+)$/;

/** On a free port of loopback, without TLS. */
export async function fakeKubernetes(version = "v1.36.3"): Promise<FakeKubernetes> {
  const collections = new Map<string, Map<string, FakeObject>>();
  const watches = new Set<Watch>();
  const requests = { lists: 0, watches: 0, refused: 0 };
  let history: Change[] = [];
  let now = 1000;
  let oldest = 1000;
  let sent = 0;
  let isAway = false;
  let allows: ((request: FakeRequest) => boolean) | undefined;
  let refusing = { status: 0, times: 0, headers: {} as Record<string, string> };

  function send({ response, field }: Watch, { type, object }: Change): void {
    if (field && read(object, field[0]) !== field[1]) return;
    sent++;
    response.write(`${JSON.stringify({ type, object })}\n`);
  }
  function happen(path: string, type: string, object: FakeObject): void {
    const change = { version: ++now, path, type, object };
    object.metadata.resourceVersion = String(now);
    history.push(change);
    for (const watch of watches) if (watch.path === path) send(watch, change);
  }
  function status(response: ServerResponse, code: number, message: string, headers: Record<string, string> = {}): void {
    response.writeHead(code, { "content-type": "application/json", ...headers });
    const reason = code === 409 ? "AlreadyExists" : undefined;
    response.end(JSON.stringify({ kind: "Status", code, reason, message }));
  }
  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://fake");
    if (refusing.times > 0) {
      refusing.times--;
      requests.refused++;
      return status(response, refusing.status, "refused by the test", refusing.headers);
    }
    if (url.pathname === "/version") {
      response.end(JSON.stringify({ gitVersion: version }));
      return;
    }
    if (allows && !allows(asked(request.method ?? "GET", url))) return status(response, 403, "forbidden by the test");
    if (request.method !== "GET") {
      const isReview = url.pathname.endsWith("/selfsubjectaccessreviews");
      if (isReview) void review(request, response);
      else void change(request, response, url.pathname, url.searchParams.get("dryRun") === "All");
      return;
    }
    const single = ofObject.exec(url.pathname);
    const found = collections.get(url.pathname);
    if (!found && single) {
      const [, base, namespace, plural, name] = single;
      const items = collections.get(`${base}/${plural}`)?.values() ?? [];
      const one = [...items].find(
        ({ metadata }) => metadata.name === name && (metadata.namespace ?? undefined) === namespace,
      );
      if (one) {
        response.end(JSON.stringify(one));
        return;
      }
      if (namespace !== undefined) return status(response, 404, "not found");
    }
    const selector = url.searchParams.get("fieldSelector")?.split("=");
    const field: [string, string] | undefined = selector && [selector[0] ?? "", selector[1] ?? ""];
    if (url.searchParams.get("watch") === "true") return watch(url, field, response);
    requests.lists++;
    const all = [...(found?.values() ?? [])].filter((object) => !field || read(object, field[0]) === field[1]);
    const [at = 0, asOf = now] = (url.searchParams.get("continue") ?? "").split(":").filter(Boolean).map(Number);
    if (asOf < oldest) return status(response, 410, "the continue token is too old");
    const limit = Number(url.searchParams.get("limit") ?? 0) || all.length;
    const items = all.slice(at, at + limit);
    const next = at + limit < all.length ? `${at + limit}:${asOf}` : "";
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ metadata: { resourceVersion: String(asOf), continue: next }, items }));
  }
  /** Whether who asks may do something: what `allows` says. */
  async function review(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { spec } = (await json(request)) as { spec?: { resourceAttributes?: Partial<FakeRequest> } };
    const unnamed = { verb: "", group: "", resource: "", namespace: null, name: undefined };
    const allowed = allows?.({ ...unnamed, ...spec?.resourceAttributes }) ?? true;
    response.end(JSON.stringify({ kind: "SelfSubjectAccessReview", status: { allowed } }));
  }
  /** Creates, merges into, or deletes one object; `dryRun`: only says whether it would. */
  async function change(
    request: IncomingMessage,
    response: ServerResponse,
    pathname: string,
    dryRun: boolean,
  ): Promise<void> {
    const [, base = "", namespace, plural = "", name] =
      (request.method === "POST" ? ofCollection : ofObject).exec(pathname) ?? [];
    const path = `${base}/${plural}`;
    const own = collections.get(path) ?? new Map<string, FakeObject>();
    collections.set(path, own);
    const body = (await json(request)) as FakeObject;
    const wanted = name ?? body.metadata.name;
    const before = [...own.values()].find(
      ({ metadata }) => metadata.name === wanted && metadata.namespace === namespace,
    );
    if (request.method === "POST" && before) return status(response, 409, "it is there already");
    if (request.method !== "POST" && !before) return status(response, 404, "not found");
    if (dryRun) {
      response.end(JSON.stringify(body));
      return;
    }
    if (request.method === "DELETE" && before) {
      own.delete(before.metadata.uid);
      happen(path, "DELETED", { ...before, metadata: { ...before.metadata } });
      return status(response, 200, "deleted");
    }
    const uid = before?.metadata.uid ?? randomUUID();
    const metadata = { ...before?.metadata, ...body.metadata, name: wanted, uid, ...(namespace && { namespace }) };
    const object: FakeObject = { ...before, ...body, metadata };
    own.set(uid, object);
    happen(path, before ? "MODIFIED" : "ADDED", object);
    response.end(JSON.stringify(object));
  }
  function watch(url: URL, field: [string, string] | undefined, response: ServerResponse): void {
    requests.watches++;
    const from = Number(url.searchParams.get("resourceVersion"));
    if (from < oldest) return status(response, 410, "too old resource version");
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    const one: Watch = { path: url.pathname, field, response };
    for (const change of history) if (change.path === one.path && change.version > from) send(one, change);
    watches.add(one);
    response.on("close", () => watches.delete(one));
  }

  const server = createServer((request, response) => {
    if (isAway) response.destroy();
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    access: { server: `http://127.0.0.1:${port}`, namespace: "default", token: () => Promise.resolve(undefined) },
    requests,
    get watching() {
      return watches.size;
    },
    get sent() {
      return sent;
    },
    put(path, ...objects) {
      const own = collections.get(path) ?? new Map<string, FakeObject>();
      collections.set(path, own);
      for (const told of objects) {
        const object = { ...told, metadata: { ...told.metadata } };
        const type = own.has(object.metadata.uid) ? "MODIFIED" : "ADDED";
        own.set(object.metadata.uid, object);
        happen(path, type, object);
      }
    },
    remove(path, uid) {
      const object = collections.get(path)?.get(uid);
      if (!object) return;
      collections.get(path)?.delete(uid);
      happen(path, "DELETED", { ...object, metadata: { ...object.metadata } });
    },
    objects: (path) => [...(collections.get(path)?.values() ?? [])],
    away() {
      isAway = true;
      server.closeAllConnections();
    },
    back() {
      isAway = false;
    },
    compact() {
      history = [];
      oldest = ++now;
    },
    expire() {
      const object = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
      for (const { response } of watches) response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
    },
    drop({ half } = {}) {
      for (const { response } of watches) {
        if (half) {
          const text = JSON.stringify({ type: "ADDED", object: half });
          response.write(text.slice(0, text.length / 2), () => response.destroy());
        } else response.destroy();
      }
    },
    refuse(code, times, headers = {}) {
      refusing = { status: code, times, headers };
    },
    authorize(decide) {
      allows = decide;
    },
    bookmark() {
      const metadata = { resourceVersion: String(now) };
      const text = `${JSON.stringify({ type: "BOOKMARK", object: { metadata } })}\n`;
      for (const { response } of watches) response.write(text);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb */
function asked(method: string, url: URL): FakeRequest {
  const [, group = "", rest = ""] = /^\/(?:api|apis\/([^/]+))\/[^/]+\/(.*)$/.exec(url.pathname) ?? [];
  const parts = rest.split("/");
  const namespace = parts.length > 2 && parts[0] === "namespaces" ? (parts[1] ?? null) : null;
  const [resource = "", name] = namespace === null ? parts : parts.slice(2);
  const reading = name !== undefined ? "get" : url.searchParams.get("watch") === "true" ? "watch" : "list";
  const verbs: Record<string, string> = {
    GET: reading,
    POST: "create",
    PATCH: "patch",
    PUT: "update",
    DELETE: "delete",
  };
  return { verb: verbs[method] ?? method, group, resource, namespace, name };
}

function read(object: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], object);
}
