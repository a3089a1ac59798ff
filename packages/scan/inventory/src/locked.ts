import { dirname } from "node:path/posix";
import type { InstalledPackage } from "@bulwark/model";
import type { Extractor } from "./extractor.ts";

interface Located {
  kind: Extractor["kind"];
  item: InstalledPackage;
}

/**
 * Leaves out the lock files that have been carried out: where most of what one asks for is installed, what is installed
 * counts, and what the lock file has beside was left out on purpose (packages for development, mostly). It then still
 * says which packages are for development only.
 *
 * Installed means: below the lock file's folder (`node_modules`, `vendor`, `.venv`); in a tree with a distribution
 * (`everywhere`), anywhere.
 */
export function withoutCarriedOut(located: readonly Located[], everywhere: boolean): InstalledPackage[] {
  const installed = new Map<string, InstalledPackage[]>();
  const locks = new Map<string, InstalledPackage[]>();
  for (const { kind, item } of located) {
    const [map, key] = kind === "locked" ? [locks, item.location] : [installed, item.purl];
    map.set(key, [...(map.get(key) ?? []), item]);
  }
  const carriedOut = new Set<string>();
  const development = new Map<InstalledPackage, boolean>();
  for (const [location, items] of locks) {
    const folder = dirname(location) === "/" ? "/" : `${dirname(location)}/`;
    const there = (item: InstalledPackage): InstalledPackage[] =>
      (installed.get(item.purl) ?? []).filter((one) => everywhere || one.location.startsWith(folder));
    const needed = items.filter((item) => !item.development);
    const asked = needed.length > 0 ? needed : items;
    if (asked.filter((item) => there(item).length > 0).length * 2 < asked.length) continue;
    carriedOut.add(location);
    for (const item of items)
      for (const one of there(item)) development.set(one, (development.get(one) ?? true) && item.development);
  }
  return located
    .filter(({ kind, item }) => !(kind === "locked" && carriedOut.has(item.location)))
    .map(({ item }) => ({ ...item, development: development.get(item) ?? item.development }));
}
