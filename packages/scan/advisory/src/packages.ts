import type { InstalledPackage, OperatingSystem, PackageType } from "@bulwark/model";
import { tiersOf } from "./distributions.ts";
import { ecosystemOf } from "./ecosystems.ts";
import type { VersionScheme } from "./versions/index.ts";

/** Where advisories about a package are found, and which version they mean. */
export interface Target {
  scheme: VersionScheme;
  tiers: string[][];
  name: string;
  version: string;
}

/** Why nobody can say whether a package has a weakness. */
export interface NoTarget {
  unknown: string;
  /** The database lacks what it should have for this package; otherwise there is nothing that it could have. */
  lacking: boolean;
}

/**
 * Where to look for a package, or why there is no such place: no advisories of its release or its ecosystem are there,
 * or it has no version.
 */
export function targetOf(
  item: InstalledPackage,
  os: OperatingSystem | null,
  known: ReadonlySet<string>,
): Target | NoTarget {
  if (systemTypes.has(item.type)) return ofDistribution(item, os, known);
  const found = registryOf(item);
  if (found === undefined) {
    return { unknown: `no advisories are made for packages of type ${item.type}`, lacking: false };
  }
  if (!known.has(found.ecosystem)) {
    return { unknown: `no advisories of ${found.ecosystem} are in the database`, lacking: true };
  }
  const version = item.type === "golang" ? goVersion(item.version) : item.version;
  if (version === "" || version === "unknown") return { unknown: "it has no version", lacking: false };
  const { scheme, normalise } = ecosystemOf(found.ecosystem);
  return { scheme, tiers: [[found.ecosystem]], name: normalise(found.name), version };
}

/** The order of a package's versions. */
export function versionSchemeOf(type: PackageType): VersionScheme {
  const system = { deb: "deb", apk: "apk", rpm: "rpm", alpm: "rpm" } as const;
  if (type in system) return system[type as keyof typeof system];
  return ecosystemOf(registries[type] ?? "").scheme;
}

/** Packages of distributions: what they own, they answer for. */
const systemTypes: ReadonlySet<PackageType> = new Set(["deb", "apk", "rpm", "alpm"]);

export function isOfSystem(type: PackageType): boolean {
  return systemTypes.has(type);
}

function ofDistribution(
  item: InstalledPackage,
  os: OperatingSystem | null,
  known: ReadonlySet<string>,
): Target | NoTarget {
  if (!os) return { unknown: "the distribution is not known", lacking: true };
  const found = tiersOf(item, os, known);
  if (!found) {
    return { unknown: `no advisories of ${os.name === "" ? os.id : os.name} are in the database`, lacking: true };
  }
  const bySource = found.keyedBy === "source";
  return {
    scheme: ecosystemOf(found.tiers[0]?.[0] ?? "").scheme,
    tiers: found.tiers,
    name: bySource ? item.source.name : item.name,
    version: bySource ? item.source.version : item.version,
  };
}

const registries: Partial<Record<PackageType, string>> = {
  npm: "npm",
  pypi: "PyPI",
  golang: "Go",
  cargo: "crates.io",
  maven: "Maven",
  gem: "RubyGems",
  composer: "Packagist",
  nuget: "NuGet",
  pub: "Pub",
  hex: "Hex",
  swift: "SwiftURL",
  cran: "CRAN",
  bitnami: "Bitnami",
};

/** Programs that Bitnami knows by another name than that of the program. */
const programs: Readonly<Record<string, string>> = { httpd: "apache", postgres: "postgresql", "redis-server": "redis" };
const kubernetesPrograms: Readonly<Record<string, string>> = {
  "kube-apiserver": "k8s.io/apiserver",
  "kube-controller-manager": "k8s.io/controller-manager",
  "kube-proxy": "k8s.io/kube-proxy",
  kubelet: "k8s.io/kubelet",
  kubectl: "k8s.io/kubectl",
};

function registryOf({ type, name }: InstalledPackage): { ecosystem: string; name: string } | undefined {
  if (type === "binary") {
    const component = kubernetesPrograms[name];
    if (component !== undefined) return { ecosystem: "Kubernetes", name: component };
    if (name === "go") return { ecosystem: "Go", name: "stdlib" };
    // Bitnami's advisories are about the software as its makers release it.
    return { ecosystem: "Bitnami", name: programs[name] ?? name };
  }
  const ecosystem = registries[type];
  return ecosystem === undefined ? undefined : { ecosystem, name };
}

/**
 * The version of a module as advisories order it; empty where there is none to hold against them: `(devel)` is what is
 * being worked on, whatever that is. The standard library has the name of the toolchain: `go1.21.5`, `go1.22 X:boringcrypto`.
 */
function goVersion(version: string): string {
  const plain = version.trim().split(/[\s]/)[0] ?? "";
  return /^(v|go)?\d/.test(plain) ? plain.replace(/^go/, "").replace(/-X:.*$/, "") : "";
}
