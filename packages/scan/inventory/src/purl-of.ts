import type { OperatingSystem, PackageType } from "@bulwark/model";
import type { FoundPackage } from "./extractor.ts";
import { formatPurl, PurlError, type PackageUrl } from "./purl/purl.ts";

/**
 * The package URL of what an extractor found: which part of a name is the namespace, and what a distribution adds
 * (https://github.com/package-url/purl-spec/tree/main/types).
 */
export function purlOf(item: FoundPackage, os: OperatingSystem | null): string {
  if (distributionTypes.has(item.type)) return ofDistribution(item, os);
  const type = item.type === "binary" ? "generic" : item.type;
  const split = splits[item.type];
  const at = split === undefined ? -1 : item.name.lastIndexOf(split);
  const namespace = at > 0 ? item.name.slice(0, at) : null;
  return format(type, namespace, item.name.slice(at > 0 ? at + 1 : 0), item.version, {});
}

/** A name that its type does not allow still gets a URL: what is there is told. */
function format(
  type: string,
  namespace: string | null,
  name: string,
  version: string,
  qualifiers: Record<string, string | undefined>,
): string {
  const told = Object.fromEntries(
    Object.entries(qualifiers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  try {
    return formatPurl({ type, namespace, name, version, qualifiers: told });
  } catch (error) {
    if (!(error instanceof PurlError)) throw error;
    return formatPurl({ type: "generic", name: /[^/]/.test(name) ? name : "unnamed", version });
  }
}

/** Between namespace and name. */
const splits: Partial<Record<PackageType, string>> = {
  npm: "/",
  golang: "/",
  composer: "/",
  swift: "/",
  maven: ":",
};

const distributionTypes = new Set<PackageType>(["deb", "apk", "rpm", "alpm"]);
const defaultIds: Partial<Record<PackageType, string>> = { deb: "debian", apk: "alpine", alpm: "arch" };

function ofDistribution(item: FoundPackage, os: OperatingSystem | null): string {
  const { type, name, version, architecture } = item;
  // A version of an rpm does not have the epoch in it: it is a qualifier.
  const [, epoch, rest = version] = (type === "rpm" && /^(\d+):(.*)$/.exec(version)) || [];
  return format(type, os?.id ?? defaultIds[type] ?? null, name, rest, {
    arch: architecture,
    epoch,
    distro: os ? [os.id, os.version].filter((part) => part !== "").join("-") : undefined,
    upstream: item.upstream ?? upstreamOf(item),
    rpmmod: item.module,
  });
}

function upstreamOf({ type, name, version, source }: FoundPackage): string | undefined {
  if (!source || type === "rpm" || (source.name === name && source.version === version)) return undefined;
  return source.version === version ? source.name : `${source.name}@${source.version}`;
}

/** The name of a package as its ecosystem writes it whole, from its package URL. */
export function nameInPurl({ type, namespace, name }: PackageUrl): string {
  const split = splits[type as PackageType];
  return namespace === null || split === undefined ? name : `${namespace}${split}${name}`;
}
