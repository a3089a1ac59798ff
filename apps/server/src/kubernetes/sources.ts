import { MessageChannel, type MessagePort } from "node:worker_threads";
import { KubeError } from "@bulwark/kube";
import { collectorOf, errorText, type KubeCluster, type KubeKind, type Page } from "@bulwark/model";
import type { KubeManifest } from "@bulwark/store";
import type { ClusterAccess } from "../benchmarks/thread.ts";
import type { Context } from "../context.ts";
import { namedClusters } from "./keep.ts";

/** A cluster whose objects can be read: by its API server, or, without `access`, as its collector has told them. */
export interface KnownCluster {
  readonly name: string;
  readonly access: ClusterAccess | null;
}

/** What a thread reads a cluster by (`reader.ts`). */
export type ClusterSource =
  | { readonly kind: "server"; readonly access: ClusterAccess }
  | { readonly kind: "told"; readonly port: MessagePort; readonly version: string };

/** Asked of the one that has the store. Pages of a kind, by namespace and name. */
export interface PageQuestion {
  readonly id: number;
  readonly kind: KubeKind;
  readonly cursor: string | undefined;
}
export interface PageAnswer {
  readonly id: number;
  readonly page: Page<KubeManifest> | null;
  /** Why there is none. */
  readonly reason: string;
}

/** A whole object has 256 KB at most; almost all have some. */
const objectsAtOnce = 200;

/** Those that this server reads itself, and those that a collector has told all of. */
export async function knownClusters(context: Context): Promise<KnownCluster[]> {
  const { store } = context;
  const own = namedClusters(context);
  const names = new Set(own.map(({ name }) => name));
  const collectors = new Set((await store.agents.list(Date.now())).map(({ node }) => node));
  const told = (await store.kubernetes.clusters()).filter(
    ({ name, syncedAt }) => syncedAt !== null && !names.has(name) && collectors.has(collectorOf(name)),
  );
  return [...own, ...told.map(({ name }) => ({ name, access: null }))];
}

/**
 * What a thread reads the cluster by; disposed when the thread has ended. `incomplete`: why not all of it is known; empty
 * where it is. Raises `KubeError` where nobody has told of it lately.
 */
export async function openSource({ name, access }: KnownCluster, context: Context): Promise<OpenSource> {
  if (access) return { source: { kind: "server", access }, transfer: [], incomplete: "", [Symbol.dispose]() {} };
  const cluster = await heardOf(name, context);
  const { port1: own, port2: port } = new MessageChannel();
  own.on("message", (question: PageQuestion) => {
    void answer(name, question, context).then((said) => own.postMessage(said));
  });
  return {
    source: { kind: "told", port, version: cluster.version },
    transfer: [port],
    incomplete: cluster.state === "ok" ? "" : `its collector: ${cluster.reason}`,
    [Symbol.dispose]: () => own.close(),
  };
}

export interface OpenSource extends Disposable {
  readonly source: ClusterSource;
  readonly transfer: readonly MessagePort[];
  readonly incomplete: string;
}

async function heardOf(name: string, { store, limits }: Context): Promise<KubeCluster> {
  const cluster = (await store.kubernetes.clusters()).find((one) => one.name === name);
  const silent = Date.now() - (cluster?.updatedAt ?? 0);
  if (!cluster || silent > limits.silence) {
    const reason = cluster
      ? `nothing has been heard of it for ${Math.round(silent / 60_000)} minutes`
      : "it is forgotten";
    throw new KubeError("unreachable", `${name}: ${reason}`, {
      remedy: "see that its collector (bulwark cluster) runs",
    });
  }
  return cluster;
}

async function answer(cluster: string, { id, kind, cursor }: PageQuestion, { store }: Context): Promise<PageAnswer> {
  try {
    const page = await store.kubernetes.manifests(cluster, kind, { cursor, limit: objectsAtOnce });
    return { id, page, reason: "" };
  } catch (error) {
    return { id, page: null, reason: errorText(error) };
  }
}
