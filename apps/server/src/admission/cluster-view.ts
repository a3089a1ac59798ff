import type { Json } from "@bulwark/admission";
import type { AccessAnswer, AccessQuestion } from "@bulwark/cel";
import type { ImageJudge } from "@bulwark/imagepolicy";
import { managedBy, type Guard } from "@bulwark/gate";
import {
  can,
  KubeError,
  reflect,
  resources,
  type Kube,
  type KubeResource,
  type Mirror,
  type Resource,
} from "@bulwark/kube";
import { errorText } from "@bulwark/model";
import { definitionsIn, settingInCluster, type Definition } from "./definitions.ts";

/** Milliseconds for the question what a namespace is like: the policies need time as well. */
const namespacePatience = 1000;
/** Objects of one kind that are kept: what is beyond is not, and said. */
const mostObjects = 20_000;
/** Config maps of Bulwark's namespace with this label hold policies; anywhere, with the other one, parameters. */
const policiesLabel = "bulwark.dev/policies=true";
const parametersLabel = "bulwark.dev/parameters=true";

interface User {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
}

/** What is known of a cluster without asking it: its namespaces, its own policies, their parameters. */
export interface ClusterView {
  readonly name: string;
  /** Null where nobody gave this server access to the cluster. */
  readonly kube: Kube | null;
  /** Policies of the cluster's own config maps; the same list until one changes. */
  guards(): readonly Guard[];
  definitions(): readonly Definition[];
  /** What could not be read, one line each. */
  problems(): readonly string[];
  /** Asked of the cluster where it is not known yet, in so many milliseconds: a pod may come right after its namespace. */
  namespaceOf(name: string, patience: number): Promise<Json> | Json;
  paramsOf(kind: { apiVersion: string; kind: string }): readonly Json[];
  /** Follows the objects of these kinds, if it does not yet. */
  want(kinds: readonly { apiVersion: string; kind: string }[]): void;
  ask(question: AccessQuestion, user: User): Promise<AccessAnswer>;
}

export interface ViewOptions {
  readonly name: string;
  readonly kube: Kube | null;
  /** Where the config maps with policies are. */
  readonly namespace: string;
  readonly signal: AbortSignal;
  readonly judge: ImageJudge;
  /** The cluster's own policies have changed. */
  changed(): void;
}

export function viewCluster(options: ViewOptions): ClusterView {
  const { name, kube, namespace, signal, judge, changed } = options;
  const namespaces = new Shelf();
  const policies = new Shelf();
  const followed = new Map<string, Shelf>();
  const broken = new Map<string, string>();
  /** What keeps it from asking what a namespace is like; empty where nothing does. */
  let unasked = "";
  let texts = new Map<string, { text: string; definitions: Definition[] }>();
  let definitions: Definition[] = [];
  let guards: Guard[] = [];

  function readPolicies(): void {
    const next: typeof texts = new Map();
    broken.clear();
    for (const map of policies.all()) {
      const data = Object.entries((map["data"] ?? {}) as Record<string, string>);
      for (const [file, text] of data) {
        const place = `ConfigMap ${namespace}/${String((map["metadata"] as Json)["name"])}, ${file}`;
        const before = texts.get(place);
        try {
          next.set(
            place,
            before?.text === text ? before : { text, definitions: definitionsIn(place, text, "cluster", judge) },
          );
        } catch (error) {
          broken.set(place, errorText(error));
          // The last good one stays in force.
          if (before) next.set(place, before);
        }
      }
    }
    texts = next;
    definitions = [...next.values()].flatMap((one) => one.definitions);
    guards = definitions.flatMap((definition) => definition.guards(settingInCluster(definition)));
    changed();
  }

  async function askNamespace(cluster: Kube, wanted: string, patience: number): Promise<Json> {
    try {
      const signal = AbortSignal.timeout(Math.max(0, Math.ceil(patience)));
      const found = await cluster.get(resources.namespaces, wanted, { signal });
      unasked = "";
      return found;
    } catch (error) {
      if (error instanceof KubeError && error.code === "forbidden") unasked = errorText(error);
      // What it is called is known in any case, and by that most selectors choose.
      return named(wanted);
    }
  }

  if (kube) {
    void follow(kube, "/api/v1/namespaces", namespaces, signal, {});
    const maps = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;
    void follow(kube, maps, policies, signal, { labelSelector: policiesLabel, changed: readPolicies });
  }

  return {
    name,
    kube,
    guards: () => guards,
    definitions: () => definitions,
    problems: () => [
      ...broken.values(),
      ...Object.entries({
        "namespaces are not known": namespaces.problem || unasked,
        [`policies of ${namespace} are not known`]: policies.problem,
        ...Object.fromEntries([...followed].map(([kind, { problem }]) => [kind, problem])),
      }).flatMap(([what, problem]) => (problem === "" ? [] : [`${what}: ${problem}`])),
    ],
    namespaceOf(wanted, patience) {
      const known = namespaces.get(wanted);
      if (known) return known;
      return kube ? askNamespace(kube, wanted, Math.min(namespacePatience, patience)) : named(wanted);
    },
    paramsOf: ({ apiVersion, kind }) => followed.get(`${apiVersion} ${kind}`)?.all() ?? [],
    want(kinds) {
      for (const { apiVersion, kind } of kinds) {
        const key = `${apiVersion} ${kind}`;
        if (!kube || followed.has(key)) continue;
        const shelf = new Shelf();
        followed.set(key, shelf);
        void followKind(kube, { apiVersion, kind }, shelf, signal);
      }
    },
    async ask(question, user) {
      if (!kube) return { allowed: false, reason: "", error: "this server has no access to the cluster" };
      const { subject, fieldSelector: _, labelSelector: __, ...rest } = question;
      const who = subject ? { user: subject.user, groups: subject.groups } : undefined;
      const { username, groups, uid } = user;
      const asked = who ?? { user: username, groups, ...(uid !== undefined && uid !== "" && { uid }) };
      return can(kube, { ...rest, subject: asked });
    },
  };
}

function named(name: string): Json {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { "kubernetes.io/metadata.name": name } } };
}

/** Objects as they are now, by name. */
class Shelf {
  #objects = new Map<string, KubeResource>();
  #listing = new Map<string, KubeResource>();
  problem = "";

  get(name: string): KubeResource | undefined {
    return this.#objects.get(name);
  }
  all(): KubeResource[] {
    return [...this.#objects.values()];
  }
  mirror(changed: () => void, key: (object: KubeResource) => string): Mirror {
    return {
      page: async (objects) => {
        for (const object of objects) {
          if (this.#listing.size < mostObjects) this.#listing.set(key(object), object);
          else this.problem = `more than ${mostObjects} objects: the others are not parameters`;
        }
      },
      listed: async () => {
        this.#objects = this.#listing;
        this.#listing = new Map();
        changed();
      },
      put: async (object) => {
        if (this.#objects.size < mostObjects || this.#objects.has(key(object))) this.#objects.set(key(object), object);
        changed();
      },
      gone: async (object) => {
        this.#objects.delete(key(object));
        changed();
      },
      heard: () => (this.problem = ""),
      failed: (error) => {
        this.problem = errorText(error);
        // A list that broke off begins again.
        this.#listing = new Map();
      },
    };
  }
}

async function follow(
  kube: Kube,
  path: string,
  shelf: Shelf,
  signal: AbortSignal,
  { labelSelector, changed = () => undefined }: { labelSelector?: string; changed?: () => void },
): Promise<void> {
  const key = ({ metadata }: KubeResource): string =>
    metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
  await reflect(kube, path, shelf.mirror(changed, key), {
    signal,
    ...(labelSelector !== undefined && { labelSelector }),
  });
}

async function followKind(
  kube: Kube,
  kind: { apiVersion: string; kind: string },
  shelf: Shelf,
  signal: AbortSignal,
): Promise<void> {
  const resource = await resourceOf(kube, kind, shelf, signal);
  if (!resource) return;
  const root = kind.apiVersion.includes("/") ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const isMap = kind.apiVersion === "v1" && kind.kind === "ConfigMap";
  await follow(kube, `${root}/${resource.plural}`, shelf, signal, isMap ? { labelSelector: parametersLabel } : {});
}

/** The kind may come later, with its definition. */
async function resourceOf(
  kube: Kube,
  { apiVersion, kind }: { apiVersion: string; kind: string },
  shelf: Shelf,
  signal: AbortSignal,
): Promise<Pick<Resource, "plural"> | undefined> {
  if (apiVersion === "v1" && kind === "ConfigMap") return resources.configMaps;
  while (!signal.aborted) {
    try {
      const { resources: all } = await kube.discover();
      const found = all.find((one) => one.apiVersion === apiVersion && one.kind === kind);
      if (found) return found;
      shelf.problem = `the cluster has no ${apiVersion} ${kind}`;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      shelf.problem = errorText(error);
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 30_000).unref();
      signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
  return undefined;
}

/** Writes a webhook configuration into the cluster, or takes ours away. Raises `KubeError`. */
export async function putConfiguration(
  kube: Kube,
  side: Guard["side"],
  name: string,
  wanted: { metadata: { name: string }; webhooks: object[] } | null,
): Promise<void> {
  const resource = side === "mutate" ? resources.mutatingWebhooks : resources.validatingWebhooks;
  if (wanted) {
    await kube.apply(resource, wanted, { fieldManager: "bulwark", force: true });
    return;
  }
  try {
    const there = await kube.get(resource, name);
    const [[label, value]] = Object.entries(managedBy) as [[string, string]];
    if (there.metadata.labels?.[label] === value) await kube.delete(resource, name);
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "not-found") throw error;
  }
}
