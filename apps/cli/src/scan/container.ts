import { hostname } from "node:os";
import { openContainers, type ContainerRegistry, type ContentPlace } from "@bulwark/containers";
import { lookInto, type Seen } from "@bulwark/examine";
import { openDockerImage, openRootfs, type FileTree } from "@bulwark/image";
import { errorText, type Container } from "@bulwark/model";
import { UsageError } from "../local/options.ts";
import { openStored, socketOf } from "./containerd.ts";
import type { Found, LookOptions } from "./input.ts";
import { lookOptionsOf, wanted } from "./look-options.ts";
import { overImage } from "./over-image.ts";

/** Runtimes of this machine that are looked at, unless `CONTAINERD_ADDRESS` names one. */
function pathsOf({ CONTAINERD_ADDRESS: address }: NodeJS.ProcessEnv): { containerd?: string[] } {
  return address ? { containerd: [socketOf(address)] } : {};
}

/** A running container: what it has now, beside what its image brought. Raises `UsageError` and `ImageError`. */
export async function lookIntoContainer(name: string, options: LookOptions): Promise<Found> {
  await using registry = await openContainers({ node: hostname(), paths: pathsOf(process.env) });
  const container = chosen(registry, name);
  const place = registry.contentOf(container);
  const now = await lookIntoRoot(container, options);
  const image = await lookIntoImage(container, place, options);
  const { config, ...seen } = overImage(now, image);
  const platform = config === null ? null : `${config.os}/${config.architecture}`;
  return {
    target: { kind: "container", name: fullName(container), digest: container.image.digest, platform },
    ...seen,
  };
}

/** By its id or the beginning of it, or by its name; of a pod also as `NAMESPACE/POD/CONTAINER`, or without the last. */
function chosen(registry: ContainerRegistry, name: string): Container {
  const running = registry.containers().filter(({ state, pid }) => pid !== null && /^(?:running|paused)$/.test(state));
  const fitting =
    [
      running.filter(({ id }) => id === name),
      running.filter((item) => item.name === name || fullName(item) === name || podName(item) === name),
      running.filter(({ id }) => name.length >= 4 && id.startsWith(name)),
    ].find((found) => found.length > 0) ?? [];
  const [one, ...more] = fitting;
  if (one && more.length === 0) return one;
  const list = (items: Container[]): string =>
    items
      .slice(0, 20)
      .map((item) => `${fullName(item)} (${item.id.slice(0, 12)})`)
      .join(", ");
  if (one) {
    throw new UsageError("usage", `${name}: several running containers have that name: ${list(fitting)}`, {
      remedy: "name one by its id",
    });
  }
  const silent = registry.health().filter(({ state }) => state === "failed" || state === "degraded");
  const why = silent.map(({ id, reason }) => `; ${id}: ${reason}`).join("");
  throw new UsageError("usage", `${name}: no running container has that name${why}`, {
    remedy: running.length === 0 ? "none runs here that can be seen" : `there are ${list(running)}`,
  });
}

function podName({ pod }: Container): string | undefined {
  return pod === null ? undefined : `${pod.namespace}/${pod.name}`;
}

function fullName(container: Container): string {
  const pod = podName(container);
  return pod === undefined ? container.name : `${pod}/${container.name}`;
}

async function lookIntoRoot({ pid, mounts, name }: Container, options: LookOptions): Promise<Seen> {
  // Where `/var/run` leads to `/run`, a mount is told by either name.
  const targets = mounts.flatMap(({ target }) => [target, target.replace(/^\/var\/run\//, "/run/")]);
  await using tree = await openRootfs(`/proc/${pid ?? 0}/root`, name, targets);
  return lookInto(tree, wanted(options, false), lookOptionsOf(options, "the container"));
}

/** Or why that cannot be done: where a runtime has no store that can be read, the container is all there is. */
async function lookIntoImage(
  { image, runtime }: Container,
  place: ContentPlace | undefined,
  options: LookOptions,
): Promise<Seen | string> {
  if (!place || image.digest === null) return `${runtime} has no store of images that can be read`;
  let tree: FileTree | undefined;
  try {
    tree = await openImageOf({ name: image.name, digest: image.digest, place });
    // The container's own files have been shown to clamd.
    const { clamd: _, ...rest } = lookOptionsOf(options, "its image");
    return await lookInto(tree, wanted(options, true), rest);
  } catch (error) {
    return errorText(error);
  } finally {
    await tree?.[Symbol.asyncDispose]();
  }
}

async function openImageOf(image: { name: string; digest: string; place: ContentPlace }): Promise<FileTree> {
  const { runtime, socket } = image.place;
  if (runtime === "containerd") return openStored(image);
  const tree = await openDockerImage(socket, image.digest);
  if (!tree) throw new Error(`${socket} has no image ${image.digest}`);
  return tree;
}
