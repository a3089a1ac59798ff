import { globSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { Collector, Host } from "../collector.ts";
import { userNames } from "./names.ts";

/** What checks know of a file. Where it is not there, `exists` is false and nothing else is known. */
export interface FileFact {
  path: string;
  exists: boolean;
  type?: "file" | "folder" | "link" | "other";
  /** The twelve bits of chmod(2). */
  mode?: number;
  /** As `stat` prints it: `640`. */
  permissions?: string;
  uid?: number;
  gid?: number;
  /** Names by the host's own accounts; the number as text where it has none. */
  owner?: string;
  group?: string;
  size?: number;
}

const matchLimit = 5000;

/** Modes and owners of the files that checks name. A pattern gives the list of what is there. */
export const files: Collector = {
  variables: ["files", "texts"],
  collect(host) {
    const facts = host.needs.files.map((path) => [path, fileFacts(host, path)] as const);
    const texts = host.needs.texts.map((path) => [path, lines(host, path)] as const);
    return { files: Object.fromEntries(facts), texts: Object.fromEntries(texts) };
  },
};

function fileFacts(host: Host, path: string): unknown {
  const place = `files[${path}]`;
  if (!path.includes("*")) return host.attempt(place, () => fileFact(host, path)) ?? { path, exists: true };
  return host.attempt(place, () => matches(host, path).map((one) => fileFact(host, one))) ?? [];
}

/** Links are followed: what counts is the file that is read in the end. Raises `RootError`. */
export function fileFact(host: Host, path: string): FileFact {
  const stats = host.root.stat(path);
  return stats ? { path, exists: true, ...statFacts(host, stats) } : { path, exists: false };
}

export function statFacts(host: Host, stats: Stats): Omit<FileFact, "path" | "exists"> {
  const { users, groups } = userNames(host.root);
  const { uid, gid, size } = stats;
  const mode = stats.mode & 0o7777;
  return {
    type: stats.isFile() ? "file" : stats.isDirectory() ? "folder" : stats.isSymbolicLink() ? "link" : "other",
    mode,
    permissions: mode.toString(8),
    uid,
    gid,
    owner: users.get(uid) ?? String(uid),
    group: groups.get(gid) ?? String(gid),
    size,
  };
}

/** Paths on the host that a pattern names; `**` goes through folders. */
export function matches(host: Host, pattern: string): string[] {
  const cwd = host.root.path;
  const found = globSync(pattern.slice(1), { cwd }).toSorted();
  if (found.length > matchLimit) host.miss(`files[${pattern}]`, `more than ${matchLimit} files`);
  return found.slice(0, matchLimit).map((path) => join("/", path));
}

/** Lines that say something, without comments and outer spaces; null where the file is not there. */
function lines(host: Host, path: string): string[] | null {
  const place = `texts[${path}]`;
  const paths = path.includes("*") ? matches(host, path) : [path];
  const texts = host.attempt(place, () => paths.map((one) => host.root.text(one)));
  if (!texts) return [];
  if (texts.every((text) => text === undefined)) return null;
  return texts.flatMap((text) => plainLines(text ?? ""));
}

export function plainLines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
