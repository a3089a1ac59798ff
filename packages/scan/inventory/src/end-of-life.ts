import type { OperatingSystem } from "@bulwark/model";
import data from "./end-of-life.json" with { type: "json" };

export interface EndOfLife {
  /** The last day with free security updates, `2024-06-30`. */
  date: string;
  /** Where the distribution says so. */
  source: string;
}

/** When a release stops, or stopped, to get security updates; undefined where we do not know. */
export function endOfLifeOf({ id, version }: OperatingSystem): EndOfLife | undefined {
  const distribution = distributions.get(id);
  if (!distribution) return undefined;
  const date = distribution.releases[version] ?? distribution.releases[version.split(".")[0] ?? ""];
  return date === undefined ? undefined : { date, source: distribution.source };
}

interface Distribution {
  source: string;
  releases: Record<string, string>;
}

const distributions = new Map<string, Distribution>(Object.entries(data));
