import type { Container } from "@bulwark/model";
import { cgroupsOf, parentOf } from "./process.ts";

/**
 * Why a process may not be touched; undefined when it may. Only what shares the container's cgroups is the container's:
 * never the node's own services, Bulwark, or what started it.
 */
export async function whyNot(pid: number, container: Container): Promise<string | undefined> {
  if (container.pid === null) return "the container does not run";
  if (pid <= 1) return "it is the first process of the host";
  for (let own = process.pid; own > 1; own = await parentOf(own)) {
    if (own === pid) return "it is Bulwark itself, or what started it";
  }
  const [its, containers, ours] = await Promise.all([cgroupsOf(pid), cgroupsOf(container.pid), cgroupsOf("self")]);
  if (its.size === 0) return "it is gone";
  // In the hierarchies in which the container is apart from us, the process must be where the container is.
  const apart = [...containers].filter(([hierarchy, path]) => path !== "/" && path !== ours.get(hierarchy));
  if (apart.length === 0)
    return "the container has no cgroup of its own, so its processes cannot be told from the host's";
  const isInside = apart.every(([hierarchy, path]) => isWithin(its.get(hierarchy), path));
  return isInside ? undefined : "it is not a process of this container";
}

function isWithin(path: string | undefined, above: string): boolean {
  return path === above || path?.startsWith(`${above}/`) === true;
}
