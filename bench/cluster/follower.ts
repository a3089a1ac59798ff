/** Follows the pods of an API server by one client or the other, and tells its parent how many it holds. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { collections, toKubeObject } from "@bulwark/cluster";
import { connect, reflect, type KubeResource } from "@bulwark/kube";

const [client, url = "", peer = ""] = process.argv.slice(2);
const held = new Map<string, unknown>();
const keep = (raw: KubeResource): void => void held.set(raw.metadata.uid, toKubeObject("bench", "Pod", raw));
const drop = ({ metadata }: KubeResource): void => void held.delete(metadata.uid);

async function ours(): Promise<void> {
  const kube = connect({ access: { server: url, namespace: "default", token: async () => undefined } });
  const mirror = {
    page: async (objects: KubeResource[]) => objects.forEach(keep),
    listed: async () => undefined,
    put: async (raw: KubeResource) => keep(raw),
    gone: async (raw: KubeResource) => drop(raw),
    ...{ heard: () => undefined, failed: () => undefined },
  };
  await reflect(kube, collections.Pod, mirror, { signal: new AbortController().signal });
}

/** What of it is used here. */
interface ClientNode {
  KubeConfig: new () => { loadFromOptions(options: object): void; makeApiClient(api: unknown): PodApi };
  CoreV1Api: unknown;
  makeInformer(config: object, path: string, list: () => Promise<unknown>): Informer;
}
interface PodApi {
  listPodForAllNamespaces(): Promise<unknown>;
}
interface Informer {
  on(event: string, then: (raw: KubeResource) => void): void;
  start(): Promise<void>;
}

async function theirs(): Promise<void> {
  const path = createRequire(join(peer, "package.json")).resolve("@kubernetes/client-node");
  const { KubeConfig, CoreV1Api, makeInformer } = (await import(path)) as ClientNode;
  const config = new KubeConfig();
  config.loadFromOptions({
    ...{ clusters: [{ name: "c", server: url, skipTLSVerify: true }], users: [{ name: "u" }] },
    ...{ contexts: [{ name: "x", cluster: "c", user: "u" }], currentContext: "x" },
  });
  const api = config.makeApiClient(CoreV1Api);
  const informer = makeInformer(config, collections.Pod, async () => api.listPodForAllNamespaces());
  informer.on("add", keep);
  informer.on("update", keep);
  informer.on("delete", drop);
  informer.on("error", (error) => {
    console.error(error);
    setTimeout(() => void informer.start(), 1000);
  });
  await informer.start();
}

process.send?.(held.size);
process.once("message", () => {
  setInterval(() => process.send?.(held.size), 200);
  void (client === "ours" ? ours() : theirs());
});
