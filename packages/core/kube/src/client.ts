import { inCluster, readKubeconfig, type Access } from "./credentials.ts";
import { KubeError } from "./error.ts";
import { pathOf, type KubeResource, type Resource } from "./resources.ts";
import { createTransport, type Query, type Transport } from "./transport.ts";

interface ObjectPlace {
  namespace?: string | undefined;
  /** `status`, `scale`. */
  subresource?: string;
}

interface ReadOptions {
  query?: Query;
  /** Bytes that the answer may have; `too-large` beyond. */
  most?: number;
  signal?: AbortSignal | undefined;
}

export interface RequestOptions {
  signal?: AbortSignal;
  /** Nothing is stored; the server only says what would be. */
  dryRun?: boolean;
}

interface Selection {
  /** All namespaces unless one is named. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface ListOptions extends Selection {
  /** Objects in a page; 500 unless told. */
  limit?: number;
  signal?: AbortSignal | undefined;
}

interface Page {
  readonly items: readonly KubeResource[];
  /** Of the list as a whole: a watch goes on from it. */
  readonly resourceVersion: string;
}

/** An API server. Every method raises a `KubeError`. */
export interface Kube {
  readonly server: string;
  /** Of the context or the pod. */
  readonly namespace: string;
  readonly transport: Transport;
  get(resource: Resource, name: string, place?: ObjectPlace & RequestOptions): Promise<KubeResource>;
  /** Page by page, all of one state. `gone` where the server has let go of it before the end: begin again. */
  pages(resource: Resource, options?: ListOptions): AsyncGenerator<Page>;
  /** All pages in one. Begins again, twice, when the server has let go of the list meanwhile. */
  list(resource: Resource, options?: ListOptions): Promise<Page>;
  create(resource: Resource, object: object, place?: ObjectPlace & RequestOptions): Promise<KubeResource>;
  replace(resource: Resource, object: KubeResource, place?: ObjectPlace & RequestOptions): Promise<KubeResource>;
  /** JSON merge patch (RFC 7386), or JSON patch (RFC 6902) where it is a list. */
  patch(resource: Resource, name: string, patch: object, place?: ObjectPlace & RequestOptions): Promise<KubeResource>;
  /** Server-side apply. `conflict` where another manager owns a field, unless forced. */
  apply(
    resource: Resource,
    object: { metadata: { name: string; namespace?: string } },
    options: ObjectPlace & RequestOptions & { fieldManager: string; force?: boolean },
  ): Promise<KubeResource>;
  /** False where it was not there. */
  delete(
    resource: Resource,
    name: string,
    options?: ObjectPlace & RequestOptions & { uid?: string; gracePeriodSeconds?: number },
  ): Promise<boolean>;
  /** Ends a pod as a drain would: `busy` where a PodDisruptionBudget does not allow it now. */
  evict(pod: string, namespace: string): Promise<void>;
  /** Every resource that the server has, of each group in its preferred version. Groups that do not answer are left out and named. */
  discover(): Promise<{ resources: Resource[]; failed: string[] }>;
  /** `v1.36.3`. */
  version(): Promise<string>;
  /** The JSON of a path, for what is no object of a known resource. */
  read(path: string, options?: ReadOptions): Promise<unknown>;
  close(): void;
  [Symbol.dispose](): void;
}

/** Of the pod that this runs in, or of a kubeconfig. Raises a `KubeError` (`bad-config`); the server is not asked yet. */
export function connect(options: { kubeconfig?: string; context?: string; access?: Access } = {}): Kube {
  const explicit = options.kubeconfig !== undefined || options.context !== undefined;
  const config = {
    ...(options.kubeconfig === undefined ? {} : { path: options.kubeconfig }),
    ...(options.context === undefined ? {} : { context: options.context }),
  };
  const access = options.access ?? (explicit ? undefined : inCluster()) ?? readKubeconfig(config);
  const transport = createTransport(access);

  const write = (
    verb: string,
    method: string,
    resource: Resource,
    name: string | undefined,
    options_: ObjectPlace & RequestOptions & { body: unknown; contentType?: string; query?: Record<string, string> },
  ): Promise<KubeResource> => {
    const { namespace, subresource, body, contentType, query, dryRun, signal } = options_;
    const place = {
      namespace: namespaceOf(resource, namespace, access.namespace),
      ...(name === undefined ? {} : { name }),
      ...(subresource === undefined ? {} : { subresource }),
    };
    return transport.json({
      ...{ method, body, what: describe(verb, resource, place) },
      path: pathOf(resource, place),
      query: { ...query, ...(dryRun === true ? { dryRun: "All" } : {}) },
      ...(contentType === undefined ? {} : { contentType }),
      ...(signal ? { signal } : {}),
    }) as Promise<KubeResource>;
  };

  return {
    server: access.server,
    namespace: access.namespace,
    transport,
    get(resource, name, { namespace, subresource, signal } = {}) {
      const place = {
        ...{ namespace: namespaceOf(resource, namespace, access.namespace), name },
        ...(subresource === undefined ? {} : { subresource }),
      };
      const what = describe("get", resource, place);
      return transport.json({ method: "GET", path: pathOf(resource, place), what, signal }) as Promise<KubeResource>;
    },
    pages: (resource, listOptions) => pages(transport, resource, listOptions),
    async list(resource, listOptions) {
      for (let attempt = 0; ; attempt++) {
        try {
          const items: KubeResource[] = [];
          let resourceVersion = "";
          for await (const page of pages(transport, resource, listOptions)) {
            items.push(...page.items);
            ({ resourceVersion } = page);
          }
          return { items, resourceVersion };
        } catch (error) {
          if (attempt >= 2 || !(error instanceof KubeError) || error.code !== "gone") throw error;
        }
      }
    },
    create: (resource, object, place = {}) => {
      const namespace = place.namespace ?? (object as Partial<KubeResource>).metadata?.namespace;
      return write("create", "POST", resource, undefined, { ...place, namespace, body: object });
    },
    replace: (resource, object, place = {}) =>
      write("replace", "PUT", resource, object.metadata.name, {
        ...place,
        namespace: place.namespace ?? object.metadata.namespace,
        body: object,
      }),
    patch: (resource, name, patch, place = {}) =>
      write("patch", "PATCH", resource, name, {
        ...place,
        body: patch,
        contentType: Array.isArray(patch) ? "application/json-patch+json" : "application/merge-patch+json",
      }),
    apply(resource, object, { fieldManager, force, ...place }) {
      return write("apply", "PATCH", resource, object.metadata.name, {
        ...place,
        namespace: place.namespace ?? object.metadata.namespace,
        body: { apiVersion: resource.apiVersion, kind: resource.kind, ...object },
        contentType: "application/apply-patch+yaml",
        query: { fieldManager, ...(force === true ? { force: "true" } : {}) },
      });
    },
    async delete(resource, name, { uid, gracePeriodSeconds, ...place } = {}) {
      const body = {
        ...{ apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Background" },
        ...(uid === undefined ? {} : { preconditions: { uid } }),
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      };
      try {
        await write("delete", "DELETE", resource, name, { ...place, body });
        return true;
      } catch (error) {
        if (error instanceof KubeError && error.code === "not-found") return false;
        throw error;
      }
    },
    async evict(pod, namespace) {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/eviction`;
      const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace } };
      await transport.json({ method: "POST", path, body, what: `evict pod ${namespace}/${pod}` });
    },
    discover: () => discover(transport),
    async version() {
      const answer = (await transport.json({ method: "GET", path: "/version", what: "ask for the version" })) as
        | { gitVersion?: string }
        | undefined;
      return answer?.gitVersion ?? "";
    },
    read: (path, { query, signal, most } = {}) =>
      transport.json({ method: "GET", path, what: `get ${path}`, signal, ...(query ? { query } : {}) }, most),
    close: () => transport.close(),
    [Symbol.dispose]: () => transport.close(),
  };
}

function namespaceOf(resource: Resource, namespace: string | undefined, fallback: string): string | undefined {
  return resource.namespaced ? (namespace ?? fallback) : undefined;
}

function describe(
  verb: string,
  { plural }: Resource,
  place: { namespace?: string | undefined; name?: string },
): string {
  const name = place.name === undefined ? "" : ` ${place.name}`;
  return `${verb} ${plural}${name}${place.namespace === undefined ? "" : ` in ${place.namespace}`}`;
}

function selectionQuery({ labelSelector, fieldSelector }: Selection): Record<string, string | undefined> {
  return { labelSelector, fieldSelector };
}

async function* pages(
  transport: Transport,
  resource: Resource,
  { namespace, limit = 500, signal, ...selection }: ListOptions = {},
): AsyncGenerator<Page> {
  let next: string | undefined;
  do {
    const answer = (await transport.json({
      method: "GET",
      path: pathOf(resource, { namespace }),
      query: { ...selectionQuery(selection), limit, continue: next },
      what: describe("list", resource, { namespace }),
      signal,
    })) as { items?: KubeResource[]; metadata?: { continue?: string; resourceVersion?: string } } | undefined;
    if (!answer?.metadata || !Array.isArray(answer.items)) {
      throw new KubeError("bad-response", `list ${resource.plural}: the answer is no list`);
    }
    yield { items: answer.items, resourceVersion: answer.metadata.resourceVersion ?? "" };
    next = answer.metadata.continue;
  } while (next !== undefined && next !== "");
}

interface GroupList {
  groups?: { name: string; preferredVersion?: { groupVersion: string } }[];
}
interface ResourceList {
  resources?: { name: string; kind: string; namespaced: boolean }[];
}

async function discover(transport: Transport): Promise<{ resources: Resource[]; failed: string[] }> {
  const ask = (path: string): Promise<unknown> => transport.json({ method: "GET", path, what: `discover ${path}` });
  const { groups = [] } = (await ask("/apis")) as GroupList;
  const versions = ["v1", ...groups.flatMap(({ preferredVersion: it }) => (it ? [it.groupVersion] : []))];
  const failed: string[] = [];
  const lists = await Promise.all(
    versions.map(async (apiVersion) => {
      try {
        const path = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
        const { resources = [] } = (await ask(path)) as ResourceList;
        return resources
          .filter(({ name }) => !name.includes("/"))
          .map(({ name, kind, namespaced }) => ({ apiVersion, plural: name, kind, namespaced }));
      } catch (error) {
        // An aggregated API that is down must not hide the others.
        if (!(error instanceof KubeError)) throw error;
        failed.push(apiVersion);
        return [];
      }
    }),
  );
  return { resources: lists.flat(), failed };
}
