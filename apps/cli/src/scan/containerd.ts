import { existsSync } from "node:fs";
import { containerdImages, defaultPaths, openContainerdContent } from "@bulwark/containers";
import {
  containerdRootImages,
  ImageError,
  openFromContainerdRoot,
  openFromStore,
  parseReference,
} from "@bulwark/image";
import type { FileTree, OpenOptions, Reference } from "@bulwark/image";

/**
 * An image of this machine's containerd: of every namespace, unless `CONTAINERD_NAMESPACE` names one, at the socket that
 * `CONTAINERD_ADDRESS` names, as for `ctr` and `nerdctl`. Undefined where there is none of that name. Raises `ImageError`
 * and `RuntimeError`.
 */
export async function findContainerdImage(
  reference: Reference,
  options: OpenOptions,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<FileTree | undefined> {
  const { CONTAINERD_ADDRESS: address, CONTAINERD_NAMESPACE: namespace } = environment;
  const sockets = address ? [socketOf(address)] : defaultPaths.containerd.filter((path) => existsSync(path));
  for (const socket of sockets) {
    const images = (await containerdImages(socket)).map((image) => ({ ...image, namespace: image.place.namespace }));
    const found = chosen(images, reference, namespace);
    if (found) return openStored(found, options);
  }
  return undefined;
}

/** The same of a containerd that does not run, by its root folder. Raises `ImageError`, which says what is there. */
export async function findImageInRoot(
  root: string,
  reference: Reference,
  { platform }: OpenOptions,
  { CONTAINERD_NAMESPACE: namespace }: NodeJS.ProcessEnv = process.env,
): Promise<FileTree> {
  const images = containerdRootImages(root);
  const found = chosen(images, reference, namespace);
  if (found) return openFromContainerdRoot(root, found, platform);
  const names = [...new Set(images.map(({ name }) => name))];
  const more = names.length > namesShown ? ` and ${names.length - namesShown} more` : "";
  throw new ImageError("not-found", `${root} has no image of that name`, {
    remedy: names.length === 0 ? "it has none at all" : `it has ${names.slice(0, namesShown).join(", ")}${more}`,
  });
}

const namesShown = 20;

/** The one that is asked for. Raises `ImageError` where several are called so. */
function chosen<T extends { name: string; digest: string; namespace: string }>(
  images: readonly T[],
  reference: Reference,
  namespace: string | undefined,
): T | undefined {
  const fitting = images.filter(
    (image) => fits(reference, image.name, image.digest) && (!namespace || image.namespace === namespace),
  );
  const [first] = fitting;
  if (first && new Set(fitting.map(({ digest }) => digest)).size > 1) {
    const places = fitting.map((image) => image.namespace).join(", ");
    throw new ImageError("not-found", `${first.name} is another image in each of the namespaces ${places}`, {
      remedy: "say which in CONTAINERD_NAMESPACE",
    });
  }
  return first;
}

/** `unix:///run/containerd/containerd.sock`, or the path alone. */
export function socketOf(address: string): string {
  return address.replace(/^unix:\/\//, "");
}

/** An image of a content store, by the digest of its manifest or index. */
export async function openStored(
  { name, digest, place }: { name: string; digest: string; place: { socket: string; namespace: string } },
  { platform }: Pick<OpenOptions, "platform"> = {},
): Promise<FileTree> {
  const store = openContainerdContent(place.socket, place.namespace);
  try {
    return await openFromStore(store, { name, digest, platform });
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/** Is it the image that is asked for? By digest it is, whatever it is called here. */
function fits(wanted: Reference, name: string, digest: string): boolean {
  if (wanted.digest !== null) return wanted.digest === digest;
  try {
    const { registry, repository, tag } = parseReference(name);
    return registry === wanted.registry && repository === wanted.repository && tag === wanted.tag;
  } catch {
    // A name of containerd may be any text.
    return false;
  }
}
