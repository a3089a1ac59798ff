import type { InstalledPackage } from "@bulwark/model";
import { list } from "../formats/data.ts";

const prefix = "bulwark:";

/** What matching needs and no form has a place for: read back, the package is the same. */
export function propertiesOf(item: InstalledPackage): [name: string, value: string][] {
  const values: [string, string | null][] = [
    ["type", item.type],
    ["name", item.name],
    ["version", item.version],
    ["architecture", item.architecture],
    ["source", item.source.name],
    ["source-version", item.source.version],
    ["module", item.module],
    ["vendor", item.vendor],
    ["location", item.location],
    ["layer", item.layer],
    ["step", item.step],
    ["origin", item.origin],
    ["development", item.development ? "true" : null],
    ["owned-by", item.ownedBy],
  ];
  return values.flatMap(([name, value]) => (value === null ? [] : [[`${prefix}${name}`, value]]));
}

/** The package that `propertiesOf` told of; undefined where the properties are not ours. */
export function fromProperties(
  properties: ReadonlyMap<string, string>,
  purl: string | undefined,
  licences: string[],
): unknown {
  const value = (name: string): string | null => properties.get(`${prefix}${name}`) ?? null;
  if (value("type") === null || purl === undefined) return undefined;
  return {
    type: value("type"),
    name: value("name"),
    version: value("version"),
    architecture: value("architecture"),
    source: { name: value("source"), version: value("source-version") },
    module: value("module"),
    vendor: value("vendor"),
    purl,
    licences,
    location: value("location"),
    layer: value("layer"),
    step: value("step"),
    origin: value("origin"),
    development: value("development") === "true",
    ownedBy: value("owned-by"),
  };
}

export const partsProperty = `${prefix}parts`;

/** A list that we wrote as JSON into a property; empty where somebody changed it. */
export function listIn(value: string | undefined): unknown[] {
  try {
    return list(JSON.parse(value ?? "[]"));
  } catch {
    return [];
  }
}
