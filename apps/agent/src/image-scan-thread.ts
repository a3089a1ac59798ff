/** The thread of one scan: reading, unpacking and parsing hold nobody up, and a hostile image ends only this. */
import { parentPort, workerData } from "node:worker_threads";
import { openContainerdContent } from "@bulwark/containers";
import { openFromStore, openRootfs, type FileTree } from "@bulwark/image";
import { catalog } from "@bulwark/inventory";
import { errorText, type ImageReport } from "@bulwark/model";

export interface ScanJob {
  /** The image in containerd's store; undefined where there is none to be had. */
  content: { socket: string; namespace: string; digest: string } | undefined;
  /** Root file system of a container of the image; null where there is none. */
  root: string | null;
  name: string;
}

export type ScanAnswer = Pick<ImageReport, "source" | "inventory">;

const { content, root, name } = workerData as ScanJob;

await using tree = await open();
const inventory = await catalog(tree);
parentPort?.postMessage({ source: tree.source, inventory } satisfies ScanAnswer);

/** The image's own layers: a container may have changed its package database. Its root where the layers are gone. */
async function open(): Promise<FileTree> {
  let reason = "the container has ended, and its image is in no store that can be read";
  if (content) {
    const store = openContainerdContent(content.socket, content.namespace);
    try {
      return await openFromStore(store, { name, digest: content.digest });
    } catch (error) {
      reason = errorText(error);
      await store[Symbol.asyncDispose]();
    }
  }
  if (root === null) throw new Error(reason);
  return openRootfs(root, name);
}
