import { readFileSync, readlinkSync } from "node:fs";
import { parseStat } from "./stat.ts";

/**
 * A process that is in all namespaces of this node: what started the container that we are in, as far as we may look at
 * it; else kthreadd, whose namespaces can be read without the capabilities that the first process has; that one where no
 * kernel threads are seen. A node need not be where the first process is: it may itself be a container, or share its
 * machine with others. The sensor finds it in the same way, `sensor/c/hooks/host.h`.
 */
export function hostProcess(): number {
  return (found ??= starter() ?? (parseStat(read("/proc/2/stat"))?.isKernel === true ? 2 : 1));
}

/**
 * Whether a process is the host's by its cgroups: those of its services, those that we are in ourselves, or those of what
 * started us.
 */
export function isHost(cgroups: readonly string[]): boolean {
  own ??= hostCgroups([read("/proc/self/cgroup"), read(`/proc/${hostProcess()}/cgroup`)]);
  return own(cgroups);
}

let found: number | undefined;
let own: ((cgroups: readonly string[]) => boolean) | undefined;

/** systemd's own services and sessions, some of which have a mount namespace of their own. */
const service = /^\/(?:system\.slice\/[^/]+\.service|user\.slice|init\.scope)(?:\/|$)/;

/** `listings`: `/proc/PID/cgroup` of processes that are the host's. */
export function hostCgroups(listings: readonly string[]): (cgroups: readonly string[]) => boolean {
  const lines = listings.flatMap((text) => text.split("\n"));
  // Of a process outside of our own cgroup namespace a path leads up from there first.
  const paths = new Set(
    lines.map((line) =>
      line
        .split(":")
        .slice(2)
        .join(":")
        .replace(/^(?:\/\.\.)+(?=\/|$)/, ""),
    ),
  );
  const root = rootOf(paths);
  return (cgroups) =>
    cgroups.every((path) => paths.has(path) || (path.startsWith(root) && service.test(path.slice(root.length))));
}

/** The cgroup below which a node that is a container itself has its services; empty where there is none above them. */
function rootOf(paths: ReadonlySet<string>): string {
  for (const path of paths) {
    const at = /\/(?:system\.slice\/[^/]+\.service|init\.scope)(?:\/|$)/.exec(path)?.index;
    if (at !== undefined) return path.slice(0, at);
  }
  return "";
}

/** The first ancestor in another mount namespace and in other cgroups: what was made inside of our container is in the same. */
function starter(): number | undefined {
  const [mounts, cgroups] = [mountsOf("self"), read("/proc/self/cgroup")];
  let pid = process.ppid;
  for (let generation = 0; generation < 64 && pid > 0; generation++) {
    const there = mountsOf(pid);
    if (there !== undefined && there !== mounts && read(`/proc/${pid}/cgroup`) !== cgroups) return pid;
    pid = parseStat(read(`/proc/${pid}/stat`))?.parent ?? 0;
  }
  return undefined;
}

function mountsOf(pid: number | "self"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    // It has ended, or we may not look.
    return undefined;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
