import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { openArchive, openLayout, type OpenOptions } from "./archive.ts";
import { ImageError } from "./error.ts";
import type { FileTree } from "./image.ts";
import { openRootfs } from "./rootfs.ts";

/**
 * Opens what a path leads to: a tar archive of an image (`docker save`, OCI), a folder with an OCI layout, or a folder that
 * is a root file system.
 *
 *     await using tree = await openImage("nginx.tar");
 *     for await (const file of tree.files((path) => path === "/etc/os-release")) …
 *
 * Raises `ImageError`.
 */
export async function openImage(path: string, options: OpenOptions = {}): Promise<FileTree> {
  if (!existsSync(path))
    throw new ImageError("not-found", `${path} is not there`, { remedy: "name an archive or a folder" });
  if (!statSync(path).isDirectory()) return openArchive(path, options);
  if (existsSync(join(path, "oci-layout"))) return openLayout(path, options);
  return openRootfs(path, path);
}
