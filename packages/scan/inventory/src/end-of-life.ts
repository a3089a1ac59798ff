import { readFileSync } from "node:fs";
import { join } from "node:path";
import { contentFolder } from "@bulwark/content/folder";
import type { OperatingSystem } from "@bulwark/model";

/** JSON and not YAML, because every scan reads it. */
const file = join(contentFolder("distributions"), "end-of-life.json");

export interface EndOfLife {
  /** The last day with free security updates, `2024-06-30`; null where there is none: it is updated for ever. */
  date: string | null;
  /** Where the distribution says so. */
  source: string;
}

/**
 * When a release stops, or stopped, to get security updates; undefined where we do not know
 * (`content/distributions/end-of-life.json`).
 */
export function endOfLifeOf({ id, version, name }: OperatingSystem): EndOfLife | undefined {
  // CentOS Linux and CentOS Stream have the same id, and the two releases 8 ended years apart.
  const distribution = distributions().get(id === "centos" && /\bstream\b/i.test(name) ? "centos-stream" : id);
  if (!distribution) return undefined;
  const { source, rolling, releases = {} } = distribution;
  if (rolling === true) return { date: null, source };
  const release = [version, version.split(".")[0] ?? ""].find((text) => Object.hasOwn(releases, text));
  return release === undefined ? undefined : { date: releases[release] ?? null, source };
}

interface Distribution {
  source: string;
  /** It has no releases. */
  rolling?: boolean;
  /** The last day of each; null for one that goes on for ever. */
  releases?: Record<string, string | null>;
}

let read: ReadonlyMap<string, Distribution> | undefined;

function distributions(): ReadonlyMap<string, Distribution> {
  return (read ??= new Map(Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, Distribution>)));
}
