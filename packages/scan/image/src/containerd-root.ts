import { existsSync } from "node:fs";
import { join } from "node:path";
import { errorText, systemCode } from "@bulwark/model/plain";
import { blobsIn } from "./archive.ts";
import { openBolt, type Bucket } from "./bolt.ts";
import type { Platform } from "./content.ts";
import { ImageError } from "./error.ts";
import type { FileTree } from "./image.ts";
import { openFromStore } from "./layers.ts";

/** An image of a containerd that does not run. */
export interface ContainerdImage {
  namespace: string;
  name: string;
  /** Of its manifest or index. */
  digest: string;
}

/**
 * The images that the root folder of a containerd names (`/var/lib/containerd`), whether it runs or not: from its database,
 * `v1/NAMESPACE/images/NAME/target/digest` (containerd, core/metadata/buckets.go). Raises `ImageError`.
 */
export function containerdRootImages(root: string): ContainerdImage[] {
  const file = join(root, "io.containerd.metadata.v1.bolt/meta.db");
  try {
    using database = openBolt(file);
    const version = database.root.bucket("v1");
    return (version?.buckets() ?? []).flatMap((namespace) => imagesOf(version?.bucket(namespace), namespace));
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const code = systemCode(error) === "EACCES" ? "denied" : "not-found";
    throw new ImageError(code, `${root} is no root folder of containerd that can be read: ${errorText(error)}`, {
      remedy: "name the folder that has io.containerd.content.v1.content in it, as root",
      cause: error,
    });
  }
}

function imagesOf(namespace: Bucket | undefined, name: string): ContainerdImage[] {
  const images = namespace?.bucket("images");
  return (images?.buckets() ?? []).flatMap((image) => {
    const digest = images?.bucket(image)?.bucket("target")?.value("digest")?.toString("utf8");
    return digest === undefined ? [] : [{ namespace: name, name: image, digest }];
  });
}

/** One of them, from the blobs as they lie there. Raises `ImageError`. */
export async function openFromContainerdRoot(
  root: string,
  image: Pick<ContainerdImage, "name" | "digest">,
  platform?: Platform,
): Promise<FileTree> {
  const folder = join(root, "io.containerd.content.v1.content");
  if (!existsSync(folder)) throw new ImageError("not-found", `${root} has no content store of containerd`);
  if (!/^sha256:[0-9a-f]{64}$/.test(image.digest)) {
    throw new ImageError("broken", `${root}: ${image.name} has the digest ${image.digest}, which is none`);
  }
  return openFromStore(blobsIn(folder), { ...image, platform });
}
