import { existsSync } from "node:fs";
import { containerdImages, defaultPaths, openContainerdContent } from "@bulwark/containers";
import { ImageError, openFromStore, parseReference } from "@bulwark/image";
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
    const fitting = (await containerdImages(socket)).filter(
      ({ name, digest, place }) => fits(reference, name, digest) && (!namespace || place.namespace === namespace),
    );
    const [first] = fitting;
    if (!first) continue;
    if (new Set(fitting.map(({ digest }) => digest)).size > 1) {
      const places = fitting.map(({ place }) => place.namespace).join(", ");
      throw new ImageError("not-found", `${first.name} is another image in each of the namespaces ${places}`, {
        remedy: "say which in CONTAINERD_NAMESPACE",
      });
    }
    return openStored(first, options);
  }
  return undefined;
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
