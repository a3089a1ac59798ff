import type { VersionScheme } from "./versions/index.ts";

/** How an ecosystem orders versions, and which names it holds to be the same. */
export interface Ecosystem {
  scheme: VersionScheme;
  /** The form of a name that is kept and asked for. */
  normalise(name: string): string;
}

/** The ecosystem of a name as advisories write it: `PyPI`, `Debian:12`, `Packagist:https://packages.drupal.org/8`. */
export function ecosystemOf(name: string): Ecosystem {
  return ecosystems[base(name)] ?? { scheme: "semver", normalise: asIs };
}

/**
 * The name under which an ecosystem is kept: distributions with their release, languages without the registry that a
 * suffix names, since the name of the package alone tells which one is meant.
 */
export function ecosystemKey(name: string): string {
  const front = base(name);
  return front in distributions ? name : (languages[front]?.key ?? front);
}

function base(name: string): string {
  const colon = name.indexOf(":");
  return colon < 0 ? name : name.slice(0, colon);
}

const asIs = (name: string): string => name;
const lower = (name: string): string => name.toLowerCase();

/** https://ossf.github.io/osv-schema/#defined-ecosystems */
const distributions: Record<string, VersionScheme> = {
  Debian: "deb",
  Ubuntu: "deb",
  Echo: "deb",
  Alpine: "apk",
  Alpaquita: "apk",
  "BellSoft Hardened Containers": "apk",
  Wolfi: "apk",
  Chainguard: "apk",
  MinimOS: "apk",
  AlmaLinux: "rpm",
  "Rocky Linux": "rpm",
  "Red Hat": "rpm",
  SUSE: "rpm",
  openSUSE: "rpm",
  openEuler: "rpm",
  Mageia: "rpm",
  "Azure Linux": "rpm",
  "Photon OS": "rpm",
};

const languages: Record<string, Ecosystem & { key?: string }> = {
  // Names of npm differ in case only where they are old: JSONStream is not jsonstream.
  npm: { scheme: "semver", normalise: asIs },
  // https://packaging.python.org/en/latest/specifications/name-normalization/
  PyPI: { scheme: "pep440", normalise: (name) => name.toLowerCase().replaceAll(/[-_.]+/g, "-") },
  Go: { scheme: "go", normalise: asIs },
  "crates.io": { scheme: "semver", normalise: asIs },
  Maven: { scheme: "maven", normalise: asIs },
  RubyGems: { scheme: "gem", normalise: asIs },
  Packagist: { scheme: "composer", normalise: lower },
  NuGet: { scheme: "nuget", normalise: lower },
  Pub: { scheme: "pub", normalise: lower },
  Hex: { scheme: "semver", normalise: lower },
  // A repository's address, with or without what stands around it.
  SwiftURL: {
    scheme: "semver",
    normalise: (name) =>
      name
        .toLowerCase()
        .replace(/^https?:\/\//, "")
        .replace(/\.git$/, ""),
  },
  CRAN: { scheme: "cran", normalise: asIs },
  Bioconductor: { scheme: "cran", normalise: asIs },
  Hackage: { scheme: "hackage", normalise: asIs },
  GHC: { scheme: "hackage", normalise: asIs },
  Bitnami: { scheme: "bitnami", normalise: lower },
  "GitHub Actions": { scheme: "semver", normalise: lower },
  Kubernetes: { scheme: "semver", normalise: asIs },
  kubernetes: { scheme: "semver", normalise: asIs, key: "Kubernetes" },
};

const ecosystems: Record<string, Ecosystem> = {
  ...languages,
  ...Object.fromEntries(Object.entries(distributions).map(([name, scheme]) => [name, { scheme, normalise: asIs }])),
};
