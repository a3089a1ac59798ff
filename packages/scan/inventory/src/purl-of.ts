import type { OperatingSystem, PackageType } from "@bulwark/model";
import type { FoundPackage } from "./extractor.ts";
import { purl } from "./purl.ts";

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
  return purl(type, namespace, item.name.slice(at > 0 ? at + 1 : 0), item.version);
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
  return purl(type, os?.id ?? defaultIds[type] ?? null, name, rest, {
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
