import { compareNumbers, comparePrerelease, parseSemver } from "./semver.ts";

/**
 * NuGet: `VersionComparer.VersionRelease` of NuGet.Versioning. Four numbers, missing ones are 0; labels of a pre-release
 * without regard to case, by the upper-case letter; metadata does not count.
 */
export function compareNuget(a: string, b: string): number {
  const x = parseSemver(a);
  const y = parseSemver(b);
  return (
    compareNumbers(x.numbers, y.numbers) || comparePrerelease(x.prerelease.toUpperCase(), y.prerelease.toUpperCase())
  );
}
