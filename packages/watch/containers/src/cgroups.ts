import { readFile } from "node:fs/promises";

/** Paths of a process in every hierarchy that does not have it at its root. Empty when the process is gone. */
export async function cgroupsOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  const paths = text.split("\n").map((line) => line.split(":").slice(2).join(":"));
  return [...new Set(paths.filter((path) => path !== "" && path !== "/"))];
}

/** Names under which runtimes put a container's id into a cgroup path. */
const idInPath = /(?:^|[/:-])([0-9a-f]{64})(?:\.scope)?(?:\/|$)/;

/** The container id that a path names by itself: `…/docker-<id>.scope`, `/kubepods/…/<id>`. */
export function idOfCgroup(path: string): string | undefined {
  return idInPath.exec(path)?.[1];
}

/** The path and its ancestors, nearest first, without the root. */
export function* ancestry(path: string): Generator<string> {
  for (let at = path; at.length > 1; at = at.slice(0, at.lastIndexOf("/"))) yield at;
}
