import { errorText } from "@bulwark/model/plain";
import type { AnyAnalyzer, TreeEntry } from "./analyzer.ts";

/** What analyzers say of one file, each under its name. */
export interface FileFacts {
  entry: TreeEntry;
  facts: Record<string, unknown>;
  faults: Record<string, string>;
  /** A later entry of the same layer has taken its place. */
  replaced: boolean;
}

/** Files that say which distribution it is, and which releases of it. */
const osReleaseFiles: ReadonlySet<string> = new Set([
  "/etc/os-release",
  "/usr/lib/os-release",
  "/etc/alpine-release",
  "/etc/apk/repositories",
  "/etc/almalinux-release",
  "/etc/centos-release",
  "/etc/debian_version",
  "/etc/fedora-release",
  "/etc/lsb-release",
  "/etc/oracle-release",
  "/etc/redhat-release",
  "/etc/rocky-release",
  "/etc/system-release",
  "/etc/SuSE-release",
]);
const osReleaseLimit = 65_536;

/** What is to be done with a file, before it is read. */
export interface Interest {
  wanting: AnyAnalyzer[];
  osRelease: boolean;
  /** Somebody wants it, and it is not too large for all who do. */
  read: boolean;
}

/** Undefined where nobody wants the file. */
export function interestIn(analyzers: readonly AnyAnalyzer[], entry: TreeEntry): Interest | undefined {
  const wanting = analyzers.filter((analyzer) => analyzer.wants(entry));
  const osRelease = osReleaseFiles.has(entry.path) && entry.size <= osReleaseLimit;
  if (wanting.length === 0 && !osRelease) return undefined;
  return { wanting, osRelease, read: osRelease || wanting.some(({ limit }) => entry.size <= limit) };
}

/** Undefined where nobody has anything to say. `content` is a text where the file could not be read. */
export function examineFile(
  wanting: readonly AnyAnalyzer[],
  entry: TreeEntry,
  content: Buffer | string,
): FileFacts | undefined {
  const facts: Record<string, unknown> = {};
  const faults: Record<string, string> = {};
  for (const analyzer of wanting) {
    const { name, limit } = analyzer;
    if (entry.size > limit) faults[name] = `${entry.size} bytes: above the limit of ${limit}`;
    else if (typeof content === "string") faults[name] = content;
    else {
      try {
        const fact: unknown = analyzer.examine(entry, content);
        if (fact !== undefined) facts[name] = fact;
      } catch (error) {
        faults[name] = errorText(error).slice(0, 1024);
      }
    }
  }
  if (Object.keys(facts).length === 0 && Object.keys(faults).length === 0) return undefined;
  return { entry, facts, faults, replaced: false };
}

/** By path; the order among those of one path stays. */
export function byPath(a: { entry: TreeEntry }, b: { entry: TreeEntry }): number {
  return a.entry.path < b.entry.path ? -1 : a.entry.path > b.entry.path ? 1 : 0;
}
