import { readFile } from "node:fs/promises";

/** Path of a process in every hierarchy, by the hierarchy's number; without those that have it at their root. Empty when the process is gone. */
export async function cgroupPaths(pid: number): Promise<Map<string, string>> {
  const text = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  const paths = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [hierarchy = "", , ...rest] = line.split(":");
    const path = rest.join(":").replace(/ \(deleted\)$/, "");
    if (path.length > 1) paths.set(hierarchy, path);
  }
  return paths;
}

/** Where cgroups are seen as files, and which path is there, by `/proc/PID/mountinfo` (proc_pid_mountinfo(5)). */
async function cgroupMounts(): Promise<{ root: string; point: string }[]> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8").catch(() => "")).split("\n");
  return lines
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(" "))
    .map(([, , , root = "", point = ""]) => ({ root: root === "/" ? "" : root, point }));
}

/** Paths, as processes have them, of folders of the file systems of cgroups. */
export async function pathsOfFolders(folders: readonly string[]): Promise<string[]> {
  const mounts = await cgroupMounts();
  const paths = folders.flatMap((folder) => {
    const mount = mounts.find(({ point }) => folder.startsWith(`${point}/`));
    return mount ? [mount.root + folder.slice(mount.point.length)] : [];
  });
  return [...new Set(paths)];
}

/** The last part of a path: `docker-<id>.scope`, `cri-containerd-<id>.scope`, `crio-<id>.scope`, `libpod-<id>.scope`, `<id>`. */
const idAtEnd = /^(?:.*[-:])?([0-9a-f]{64})(?:\.scope)?$/;

/** The container id that the last part of a path names. The scope of conmon holds the container's monitor, not the container. */
export function idOfCgroup(path: string): string | undefined {
  const last = path.slice(path.lastIndexOf("/") + 1);
  return last.includes("conmon-") ? undefined : idAtEnd.exec(last)?.[1];
}

/** The path and its ancestors, nearest first, without the root. */
function* ancestry(path: string): Generator<string> {
  for (let at = path; at.length > 1; at = at.slice(0, at.lastIndexOf("/"))) yield at;
}

/** Whose cgroup a path is. */
export class CgroupIndex<T> {
  readonly #owners = new Map<string, { owner: T; weight: number; several: boolean }>();

  /** Of two owners of one path the heavier has it. Of two that weigh the same none has: it would be a guess. */
  add(path: string, owner: T, weight: number): void {
    const before = this.#owners.get(path);
    if (!before || before.weight < weight) this.#owners.set(path, { owner, weight, several: false });
    else if (before.weight === weight && before.owner !== owner) before.several = true;
  }

  /** The owner of the longest of these paths and their ancestors that has one; the deepest of nested containers. */
  find(paths: readonly string[], byId: (id: string) => T | undefined): T | undefined {
    let found: T | undefined;
    let length = 0;
    for (const path of paths) {
      for (const at of ancestry(path)) {
        if (at.length <= length) break;
        const owner = this.#ownerOf(at, byId);
        if (owner === undefined) continue;
        found = owner;
        length = at.length;
        break;
      }
    }
    return found;
  }

  #ownerOf(path: string, byId: (id: string) => T | undefined): T | undefined {
    const known = this.#owners.get(path);
    if (known) return known.several ? undefined : known.owner;
    const id = idOfCgroup(path);
    return id === undefined ? undefined : byId(id);
  }
}
