import { compareDigits } from "./digits.ts";
import { compareSemver } from "./semver.ts";

/**
 * Bitnami's versions: Semantic Versioning, and behind a hyphen the number of times that the same software was packaged:
 * `1.2.3-4` is a later build of `1.2.3`, not a version before it. https://github.com/bitnami/go-version
 */
export function compareBitnami(a: string, b: string): number {
  const x = split(a);
  const y = split(b);
  return compareSemver(x.version, y.version) || compareDigits(x.revision, y.revision);
}

function split(text: string): { version: string; revision: string } {
  const match = /^(.*?)-(\d+)$/.exec(text.trim());
  return { version: match?.[1] ?? text, revision: match?.[2] ?? "0" };
}
