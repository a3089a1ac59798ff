/** The process of one scan: reading, unpacking and parsing hold nobody up, and a hostile image ends only this. */
import { openContainerdContent, type ContentPlace } from "@bulwark/containers";
import { LayerCache, lookInto, serveApart } from "@bulwark/examine";
import { openDockerImage, openFromStore, openRootfs, type FileTree } from "@bulwark/image";
import { errorText, type ImageReport } from "@bulwark/model";

export interface ScanJob {
  name: string;
  digest: string | null;
  /** Who has the image; undefined where nobody has it who can be asked. */
  place: ContentPlace | undefined;
  /** Root file system of a container of the image; null where there is none. */
  root: string | null;
  /** What is mounted into it: not of the image. */
  mounts: string[];
  /** Folder of what layers said before. */
  cache: string;
  /** Address of a clamd that looks at every file, too. */
  clamd: string | undefined;
}

export type ScanAnswer = Pick<ImageReport, "source" | "inventory" | "secrets" | "malware" | "checks" | "parts">;

serveApart(async (asked, onProgress): Promise<ScanAnswer> => {
  const job = asked as ScanJob;
  await using tree = await open(job);
  const isImage = tree.content.kind === "layers";
  // A container's root has no configuration, and what a container wrote is not what its image brought.
  const also = isImage ? (["secrets", "malware", "checks"] as const) : (["secrets", "malware"] as const);
  const { config: _, ...seen } = await lookInto(tree, also, {
    cache: new LayerCache(job.cache),
    clamd: job.clamd,
    threads: 1,
    onProgress: ({ done, total }) => onProgress({ done, total }),
  });
  return {
    source: tree.source,
    inventory: seen.inventory,
    secrets: seen.secrets ?? null,
    malware: seen.malware ?? null,
    checks: seen.checks?.filter(({ state }) => state === "fail" || state === "unknown") ?? null,
    parts: seen.parts,
  };
});

/** The image's own layers: a container may have changed its package database. Its root where the layers are gone. */
async function open({ name, digest, place, root, mounts }: ScanJob): Promise<FileTree> {
  let reason = "the container has ended, and its image is in no store that can be read";
  if (place && digest !== null) {
    try {
      return await openStored(name, digest, place);
    } catch (error) {
      reason = errorText(error);
    }
  }
  if (root === null) throw new Error(reason);
  return openRootfs(root, name, mounts);
}

async function openStored(name: string, digest: string, place: ContentPlace): Promise<FileTree> {
  if (place.runtime !== "containerd") {
    const tree = await openDockerImage(place.socket, digest);
    if (!tree) throw new Error(`${place.socket} has no image ${digest}`);
    return tree;
  }
  const store = openContainerdContent(place.socket, place.namespace);
  try {
    return await openFromStore(store, { name, digest });
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}
