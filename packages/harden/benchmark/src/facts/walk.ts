import type { Collector, Host } from "../collector.ts";
import { RootError } from "../root.ts";
import { userNames } from "./names.ts";

const entryLimit = 2_000_000;
const listedLimit = 200;
/** Milliseconds. */
const timeLimit = 120_000;
/** Other file systems, and those of containers, which are judged as images. */
const passedOver =
  /^\/(?:proc|sys|dev|run|snap|var\/lib\/(?:containerd|docker|containers|kubelet|rancher|lxc|machines)|tmp\/\.mount_.*)$/;

/**
 * The whole file system, once: `walk.writable`, files that anybody may write, and folders where anybody may take away
 * another's file; `walk.unowned`, what belongs to a number without a name. Only where it was asked for.
 */
export function walkCollector(asked: boolean): Collector {
  return {
    variables: ["walk"],
    collect(host) {
      if (!asked) {
        host.miss("walk", "the whole file system was not walked; --deep does");
        return {};
      }
      return { walk: walk(host) };
    },
  };
}

function walk(host: Host): { writable: string[]; unowned: string[]; entries: number } {
  const { users, groups } = userNames(host.root);
  const found = { writable: [] as string[], unowned: [] as string[], entries: 0 };
  const until = Date.now() + timeLimit;
  const waiting = ["/"];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const name of namesIn(host, folder)) {
      const path = folder === "/" ? `/${name}` : `${folder}/${name}`;
      if (passedOver.test(path)) continue;
      const stats = host.root.stat(path, { link: true });
      if (!stats || stats.isSymbolicLink()) continue;
      if (++found.entries > entryLimit || Date.now() > until) {
        host.miss("walk", `broken off after ${found.entries} entries`);
        return found;
      }
      const anybody = (stats.mode & 0o002) !== 0;
      const guarded = stats.isDirectory() && (stats.mode & 0o1000) !== 0;
      if (anybody && !guarded && (stats.isFile() || stats.isDirectory()) && found.writable.length < listedLimit)
        found.writable.push(path);
      if ((!users.has(stats.uid) || !groups.has(stats.gid)) && found.unowned.length < listedLimit)
        found.unowned.push(path);
      if (stats.isDirectory()) waiting.push(path);
    }
  }
  return found;
}

function namesIn(host: Host, folder: string): string[] {
  try {
    return host.root.list(folder) ?? [];
  } catch (error) {
    if (!(error instanceof RootError)) throw error;
    host.miss("walk", error.message);
    return [];
  }
}
