/** How a thread reads a cluster, whether this server reaches its API server or a collector tells of it. */
import { once } from "node:events";
import type { MessagePort } from "node:worker_threads";
import { collections } from "@bulwark/cluster";
import { connect, KubeError, resources, type Kube, type KubeResource, type Resource } from "@bulwark/kube";
import { kubeKinds, type KubeKind, type Page } from "@bulwark/model";
import type { KubeManifest } from "@bulwark/store";
import type { ClusterSource, PageAnswer, PageQuestion } from "./sources.ts";
import { toldObject } from "./told-object.ts";

export interface ClusterReader extends Pick<Kube, "discover" | "list" | "pages" | "read" | "version">, Disposable {
  /** Kinds that it does not know of may be there all the same. */
  readonly isPartial: boolean;
}

export function openReader(source: ClusterSource): ClusterReader {
  return source.kind === "server" ? { ...connect(source.access), isPartial: false } : toldReader(source);
}

/** In the one version in which collectors read them. */
const told: readonly (Resource & { kind: KubeKind })[] = kubeKinds.map((kind) => {
  const usual = Object.values(resources).find((one) => one.kind === kind);
  const [plural = "", ...root] = collections[kind].split("/").toReversed();
  const apiVersion = root
    .toReversed()
    .filter((part) => !["", "api", "apis"].includes(part))
    .join("/");
  return { apiVersion, plural, kind, namespaced: usual?.namespaced ?? true };
});

function toldReader({ port, version }: Extract<ClusterSource, { kind: "told" }>): ClusterReader {
  async function* pages(resource: Resource): ReturnType<Kube["pages"]> {
    const kind = toldKind(resource);
    let cursor: string | undefined;
    let unread = 0;
    let all = 0;
    do {
      const page = await ask(port, kind, cursor);
      const items = page.items.flatMap((row) => toldObject(row) ?? []);
      all += page.items.length;
      unread += page.items.length - items.length;
      yield { items, resourceVersion: "" };
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    if (unread === 0) return;
    throw new KubeError("bad-response", `${unread} of ${all} ${resource.plural} were not told as whole objects`, {
      remedy: "update the cluster's collector; an object of more than 256 KB is never told",
    });
  }
  return {
    isPartial: true,
    pages,
    async list(resource) {
      const items: KubeResource[] = [];
      for await (const page of pages(resource)) items.push(...page.items);
      return { items, resourceVersion: "" };
    },
    discover: async () => ({ resources: [...told], failed: [] }),
    version: async () => version,
    read: async (path) => {
      throw new KubeError("not-found", `get ${path}: a collector reads objects only`);
    },
    [Symbol.dispose]: () => port.close(),
  };
}

function toldKind({ apiVersion, plural }: Resource): KubeKind {
  const groupOf = (version: string): string => (version.includes("/") ? (version.split("/")[0] ?? "") : "");
  const found = told.find((one) => one.plural === plural && groupOf(one.apiVersion) === groupOf(apiVersion));
  if (!found) throw new KubeError("not-found", `list ${plural}: the cluster's collector does not tell of them`);
  if (found.apiVersion !== apiVersion) {
    throw new KubeError("not-found", `list ${plural}: the cluster's collector tells of ${found.apiVersion}`);
  }
  return found.kind;
}

let asked = 0;
/** One question at a time is under way. */
async function ask(port: MessagePort, kind: KubeKind, cursor: string | undefined): Promise<Page<KubeManifest>> {
  const id = ++asked;
  port.postMessage({ id, kind, cursor } satisfies PageQuestion);
  const [{ page, reason }] = (await once(port, "message")) as [PageAnswer];
  if (!page) throw new KubeError("unreachable", `objects of the cluster cannot be read: ${reason}`);
  return page;
}
