import type { Seen } from "@bulwark/examine";
import type { ExtractorStatus, InstalledPackage, Malware, Secret } from "@bulwark/model";

/**
 * What a running container has now, told as its image tells it where the two agree: with layer and step. A package that
 * only the container has came at run time (`origin: container`). Of the image count its configuration, and credentials
 * that the container has deleted: they are in its layers still. `image` is a text where that could not be looked into.
 */
export function overImage(now: Seen, image: Seen | string): Seen {
  if (typeof image === "string") {
    const errors = [{ path: "", message: `only what the container has now: ${image}`.slice(0, 1024) }];
    return { ...now, parts: [...now.parts, { extractor: "image", state: "partial", errors }] };
  }
  const packages = new Map(image.inventory.packages.map((item) => [packageKey(item), item]));
  const known = <T>(items: readonly T[] | undefined, keyOf: (item: T) => string): ((item: T) => T) => {
    const byKey = new Map((items ?? []).map((item) => [keyOf(item), item]));
    return (item) => byKey.get(keyOf(item)) ?? item;
  };
  return {
    ...now,
    inventory: {
      ...now.inventory,
      packages: now.inventory.packages.map(
        (item) => packages.get(packageKey(item)) ?? { ...item, origin: "container" as const },
      ),
    },
    secrets: now.secrets && [
      ...now.secrets.map(known(image.secrets, secretKey)),
      ...deleted(now.secrets, image.secrets ?? []),
    ],
    malware: now.malware?.map(known(image.malware, malwareKey)),
    checks: image.checks,
    parts: [...now.parts, ...troubles(image)],
    config: image.config,
  };
}

/** Those of the image that the container does not show. */
function deleted(now: readonly Secret[], image: readonly Secret[]): Secret[] {
  const shown = new Set(now.map(secretKey));
  return image
    .filter((item) => !shown.has(secretKey(item)))
    .map((item) => ({ ...item, removed: item.removed || item.location.startsWith("/") }));
}

/** What could not be looked at in the image. */
function troubles({ inventory, parts }: Seen): ExtractorStatus[] {
  return [...inventory.extractors, ...parts]
    .filter(({ state }) => state !== "done")
    .map((part) => ({ ...part, extractor: `image: ${part.extractor}`.slice(0, 64) }));
}

function packageKey({ type, name, version, architecture, location }: InstalledPackage): string {
  return JSON.stringify([type, name, version, architecture, location]);
}

function secretKey({ fingerprint, location }: Secret): string {
  return JSON.stringify([fingerprint, location]);
}

function malwareKey({ engine, rule, sha256, location }: Malware): string {
  return JSON.stringify([engine, rule, sha256, location]);
}
