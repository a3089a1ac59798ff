import type { RegistrySettings } from "@bulwark/model";
import { like } from "@bulwark/report";

type Filters = Pick<RegistrySettings, "repositories" | "tags" | "newest">;

/** Whether a repository is to be looked into. */
export function wantsRepository({ repositories }: Filters, repository: string): boolean {
  return repositories.some((pattern) => like(pattern, repository));
}

export function wantsTag({ tags }: Filters, tag: string): boolean {
  // Signatures and attestations of old lie under tags that are made of digests.
  return !/^sha256-[0-9a-f]{64}(?:\.|$)/.test(tag) && tags.some((pattern) => like(pattern, tag));
}

/** Of the tags that fit, those of the highest versions; `latest` before all. Registries do not say which is the newest. */
export function chooseTags(filters: Filters, tags: readonly string[]): string[] {
  return tags
    .filter((tag) => wantsTag(filters, tag))
    .toSorted(compareTags)
    .slice(0, filters.newest);
}

const versions = new Intl.Collator("en", { numeric: true });

function compareTags(a: string, b: string): number {
  return Number(b === "latest") - Number(a === "latest") || versions.compare(b, a) || (a < b ? -1 : 1);
}
