import { compareSemver } from "./semver.ts";

/**
 * Go's modules: Semantic Versioning with a leading `v` (https://go.dev/ref/mod#versions), pseudo-versions included, since
 * they are made to sort as pre-releases; `+incompatible` is build metadata. The toolchain's own names (`go1.21rc2`, of
 * build information) are taken as the advisories write them: `1.21.0-rc.2`.
 */
export function compareGo(a: string, b: string): number {
  return compareSemver(normalise(a), normalise(b));
}

function normalise(version: string): string {
  const text = version.trim().replace(/^go(?=\d)/, "");
  return text.replace(/^(\d+(?:\.\d+)*)(alpha|beta|rc)(\d+)/, "$1-$2.$3");
}
