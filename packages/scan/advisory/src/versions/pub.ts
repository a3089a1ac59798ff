import { compareIdentifiers, compareNumbers, comparePrerelease, parseSemver } from "./semver.ts";

/**
 * Dart's packages: `Version.compareTo` of pub_semver. As Semantic Versioning, but build metadata counts: none comes before
 * any, and they compare as pre-releases do.
 */
export function comparePub(a: string, b: string): number {
  const x = parseSemver(a);
  const y = parseSemver(b);
  const order = compareNumbers(x.numbers, y.numbers) || comparePrerelease(x.prerelease, y.prerelease);
  if (order !== 0 || x.build === y.build) return order;
  if (x.build === "" || y.build === "") return x.build === "" ? -1 : 1;
  return compareIdentifiers(x.build, y.build);
}
