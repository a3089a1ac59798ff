/** `@bulwark/image/open`: opening alone, without what reads layers; what an image turns out to be is loaded when it is one. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "@bulwark/model/plain";
import { openArchive, openLayout } from "./archive.ts";
import { ImageError } from "./error.ts";
import type { FileTree } from "./image.ts";
import { parseReference, type Reference } from "./registry/reference.ts";
import type { RegistryOptions } from "./registry/registry.ts";

export { parsePlatform } from "./content.ts";

export interface OpenOptions extends RegistryOptions {
  /** Look only there: `file`, `docker` (Podman's daemon too), `registry`, or the name of one of `stores`. */
  from?: string | undefined;
  /** Where images of this machine may be, beside Docker's daemon. */
  stores?: readonly ImageStore[] | undefined;
  /** Ask no registry. */
  offline?: boolean | undefined;
}

/** Something on this machine that has images, such as containerd. */
export interface ImageStore {
  name: string;
  /** Undefined where it has no such image. Raises where it cannot tell. */
  find(reference: Reference, options: OpenOptions): Promise<FileTree | undefined>;
}

/**
 * Opens what a text leads to: a tar archive of an image (`docker save`, OCI), a folder with an OCI layout or a root file
 * system, else the name of an image, which is looked for in Docker's daemon, other stores of this machine, the registry.
 *
 *     await using tree = await openImage("nginx:1.27");
 *     const { results } = await examineTree(tree, { packages: inventoryAnalyzer });
 *
 * Raises `ImageError`; where an image is nowhere, it says where it was looked for.
 */
export async function openImage(text: string, options: OpenOptions = {}): Promise<FileTree> {
  const { from, offline } = options;
  if (from === "file" || (from === undefined && existsSync(text))) return openFile(text, options);
  if (from === undefined && looksLikeFile(text)) throw noFile(text);
  const reference = parseReference(text);
  const tried: string[] = [];
  for (const store of [docker, ...(options.stores ?? [])]) {
    if (from !== undefined && from !== store.name) continue;
    try {
      const found = await store.find(reference, options);
      if (found) return { ...found, name: text };
      tried.push(`${store.name} has none of that name`);
    } catch (error) {
      if (from !== undefined) throw error;
      tried.push(`${store.name}: ${errorText(error)}`);
    }
  }
  const fromRegistry = from === undefined || from === "registry";
  if (fromRegistry && offline !== true) return openFromRegistry(text, options, tried);
  if (fromRegistry) tried.push("no registry is asked: offline");
  if (tried.length > 0) throw new ImageError("not-found", `${text}: ${tried.join("; ")}`);
  const places = ["file", "registry", docker.name, ...(options.stores ?? []).map(({ name }) => name)];
  throw new ImageError("not-found", `${from}: no such place to look for images`, { remedy: places.join(", ") });
}

async function openFile(path: string, options: OpenOptions): Promise<FileTree> {
  if (!existsSync(path)) throw noFile(path);
  if (!statSync(path).isDirectory()) return openArchive(path, options);
  if (existsSync(join(path, "oci-layout"))) return openLayout(path, options);
  return (await import("./rootfs.ts")).openRootfs(path, path);
}

async function openFromRegistry(text: string, options: OpenOptions, tried: string[]): Promise<FileTree> {
  const { openRegistryImage } = await import("./registry/registry.ts");
  try {
    return await openRegistryImage(text, options);
  } catch (error) {
    if (!(error instanceof ImageError) || tried.length === 0) throw error;
    throw new ImageError(error.code, `${error.message} (${tried.join("; ")})`, {
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      cause: error,
    });
  }
}

const docker: ImageStore = {
  name: "docker",
  async find(reference, options) {
    const { dockerHosts } = await import("./docker-host.ts");
    const hosts = dockerHosts();
    if (hosts.length === 0) return undefined;
    const { openDockerImage } = await import("./docker.ts");
    const { registry, repository, tag, digest } = reference;
    const path = `${registry === "docker.io" ? "" : `${registry}/`}${repository.replace(/^library\//, "")}`;
    const name = digest === null ? `${path}:${tag ?? "latest"}` : `${path}@${digest}`;
    for (const host of hosts) {
      if (options.offline === true && !host.local) {
        throw new ImageError("unreachable", `${host.name} is not asked: offline, and it is not of this machine`);
      }
      const found = await openDockerImage(host, name, options);
      if (found) return found;
    }
    return undefined;
  },
};

function looksLikeFile(text: string): boolean {
  return /^\.{0,2}\/|\.(?:tar|tgz|gz|oci)$/.test(text);
}

function noFile(path: string): ImageError {
  return new ImageError("not-found", `${path} is not there`, { remedy: "name an archive, a folder or an image" });
}
