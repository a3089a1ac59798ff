import { compareApk } from "./apk.ts";
import { compareBitnami } from "./bitnami.ts";
import { compareComposer } from "./composer.ts";
import { compareCran } from "./cran.ts";
import { compareDeb } from "./deb.ts";
import { compareGem } from "./gem.ts";
import { compareGo } from "./go.ts";
import { compareHackage } from "./hackage.ts";
import { compareMaven } from "./maven.ts";
import { compareNuget } from "./nuget.ts";
import { comparePep440 } from "./pep440.ts";
import { comparePub } from "./pub.ts";
import { compareRpm } from "./rpm.ts";
import { compareSemver } from "./semver.ts";
import { compareText } from "./text.ts";

/** Orders of versions. A new one is a file beside this and a line here. */
const schemes = {
  apk: compareApk,
  bitnami: compareBitnami,
  composer: compareComposer,
  cran: compareCran,
  deb: compareDeb,
  gem: compareGem,
  go: compareGo,
  hackage: compareHackage,
  maven: compareMaven,
  nuget: compareNuget,
  pep440: comparePep440,
  pub: comparePub,
  rpm: compareRpm,
  semver: compareSemver,
} as const;

export type VersionScheme = keyof typeof schemes;
export const versionSchemes = Object.keys(schemes) as VersionScheme[];

/** No real version comes near; it bounds what a hostile one can cost. */
const lengthLimit = 1024;

/**
 * Negative, zero or positive, as `a` is before, equal to or behind `b`. Never throws: what is no version of the scheme has a
 * place too, which the scheme's file tells. Of versions that are longer than 1024 characters the beginnings are compared
 * by the scheme, the rest as text.
 */
export function compareVersions(scheme: VersionScheme, a: string, b: string): number {
  if (a === b) return 0;
  const compare = schemes[scheme];
  if (a.length <= lengthLimit && b.length <= lengthLimit) return compare(a, b);
  return (
    compare(a.slice(0, lengthLimit), b.slice(0, lengthLimit)) || compareText(a.slice(lengthLimit), b.slice(lengthLimit))
  );
}
