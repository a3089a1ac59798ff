import { dirname, join } from "node:path/posix";
import type { Examined, TreeEntry, TreeFacts } from "@bulwark/image";
import type { ExtractorStatus, InstalledPackage, Inventory, OperatingSystem, PackageType } from "@bulwark/model";
import { extractorsOf } from "./choose.ts";
import type { Extractor, Found, FoundPackage } from "./extractor.ts";
import { extractors } from "./extractors/index.ts";
import { licencesOf } from "./licences.ts";
import { withoutCarriedOut } from "./locked.ts";
import { operatingSystemOf } from "./os-release.ts";
import { purlOf } from "./purl-of.ts";

/** What extractors found in one file, by their names; a text where one could not read it. */
export type InventoryFact = Record<string, Found | string>;

const packagesLimit = 100_000;
const errorsKept = 1000;

/**
 * Puts together what the files of a tree say, each by itself, with what is known of the whole: distribution, owners,
 * layers. What could not be read is in `extractors`, as `partial` (a file of several, or a part of one) or `failed`
 * (nothing of it).
 */
export function conclude({ facts, faults, tree }: Examined<InventoryFact>): Inventory {
  const os = operatingSystemOf(tree.osRelease);
  const statuses = new Map<string, Status>();
  const read: ReadFile[] = [];
  for (const { entry, fact, removed } of facts) {
    for (const [name, found] of Object.entries(fact)) {
      const extractor = byName.get(name);
      if (!extractor) continue;
      if (typeof found !== "string") read.push({ extractor, entry, found, removed });
      if (!removed) note(statuses, name, entry.path, typeof found === "string" ? { failure: found } : found);
    }
  }
  for (const { entry, message } of faults.filter(({ removed }) => !removed)) {
    for (const { name } of extractorsOf(entry)) note(statuses, name, entry.path, { failure: message });
  }

  const present = withoutSuperseded(read.filter(({ removed }) => !removed));
  const licences = licencesByPackage(present);
  const arrival = arrivals(read, tree);
  const located = present.flatMap((file) =>
    file.found.packages.map((item) => ({
      kind: file.extractor.kind,
      item: toPackage(item, file.entry, os, licences, arrival(file, item)),
    })),
  );
  const owned = ownership(present, located);
  const kept = withoutCarriedOut(located, os !== null);
  const packages = unique(kept.map((item) => ({ ...item, ownedBy: owned(item) }))).filter(
    // A program is recognised by its bytes only where no package answers for it.
    ({ type, ownedBy }) => type !== "binary" || ownedBy === null,
  );

  const list = [...statuses].map(([extractor, status]) => toStatus(extractor, status));
  if (tree.faults.length > 0) list.push(ofTree(tree, packages.length));
  if (packages.length > packagesLimit) {
    const message = `${packages.length} packages; the first ${packagesLimit} are kept`;
    list.push({ extractor: "packages", state: "partial", errors: [{ path: tree.name.slice(0, 4096), message }] });
  }
  return { os, packages: packages.slice(0, packagesLimit), extractors: list };
}

/** What could not be looked at at all: a layer that is cut off, a folder that may not be read. */
function ofTree({ name, faults }: TreeFacts, found: number): ExtractorStatus {
  const errors = faults.slice(0, errorsKept).map(({ layer, message }) => ({
    path: (layer ?? name).slice(0, 4096),
    message: message.slice(0, 1024),
  }));
  return { extractor: "files", state: found === 0 ? "failed" : "partial", errors };
}

const byName = new Map(extractors.map((extractor) => [extractor.name, extractor]));

interface ReadFile {
  extractor: Extractor;
  entry: TreeEntry;
  found: Found;
  removed: boolean;
}

function withoutSuperseded(files: ReadFile[]): ReadFile[] {
  const paths = new Set(
    files.flatMap(({ entry, found }) => (found.supersedes ?? []).map((name) => join(dirname(entry.path), name))),
  );
  return files.filter(({ entry }) => !paths.has(entry.path));
}

interface Status {
  read: number;
  errors: { path: string; message: string }[];
}

function note(
  statuses: Map<string, Status>,
  extractor: string,
  path: string,
  result: { failure: string } | { errors: string[] },
): void {
  const status = statuses.get(extractor) ?? { read: 0, errors: [] };
  statuses.set(extractor, status);
  if (!("failure" in result)) status.read++;
  for (const message of "failure" in result ? [result.failure] : result.errors) {
    if (status.errors.length < errorsKept)
      status.errors.push({ path: path.slice(0, 4096), message: message.slice(0, 1024) });
  }
}

function toStatus(extractor: string, { read, errors }: Status): ExtractorStatus {
  return { extractor, state: errors.length === 0 ? "done" : read === 0 ? "failed" : "partial", errors };
}

function toPackage(
  item: FoundPackage,
  entry: TreeEntry,
  os: OperatingSystem | null,
  licences: ReadonlyMap<string, string[]>,
  arrived: Arrival,
): InstalledPackage {
  const source = item.source ?? { name: item.name, version: item.version };
  const written = item.licences?.filter((text) => text !== "") ?? [];
  return {
    type: item.type,
    name: item.name.slice(0, 512),
    version: item.version.slice(0, 256),
    architecture: (item.architecture ?? "").slice(0, 64),
    source: { name: source.name.slice(0, 512), version: source.version.slice(0, 256) },
    module: item.module?.slice(0, 256) ?? null,
    vendor: item.vendor?.slice(0, 256) ?? null,
    purl: purlOf(item, os).slice(0, 1024),
    licences: licencesOf(written.length > 0 ? written : (licences.get(keyOf(item.type, item.name)) ?? [])),
    location: `${entry.path}${item.inside === undefined ? "" : `!/${item.inside}`}`.slice(0, 4096),
    ...arrived,
    development: item.development ?? false,
    ownedBy: null,
  };
}

function licencesByPackage(files: ReadFile[]): Map<string, string[]> {
  return new Map(
    files.flatMap(({ found }) =>
      (found.licences ?? []).map(({ type, name, licences }) => [keyOf(type, name), licences] as const),
    ),
  );
}

function keyOf(type: PackageType, name: string): string {
  return `${type} ${name}`;
}

type Arrival = Pick<InstalledPackage, "layer" | "step" | "origin">;

/**
 * With which layer a package came. A package database is one file that later layers replace whole: the package came with
 * the lowest layer from which on every version of the file has it.
 */
function arrivals(files: ReadFile[], { layers }: TreeFacts): (file: ReadFile, item: FoundPackage) => Arrival {
  const height = new Map(layers.map(({ digest }, at) => [digest, at]));
  const heightOf = ({ entry }: ReadFile): number => height.get(entry.layer ?? "") ?? -1;
  const earlier = new Map<string, { layer: string | null; items: Set<string> }[]>();
  const replaced = files.filter(({ removed }) => removed).toSorted((a, b) => heightOf(b) - heightOf(a));
  for (const { extractor, entry, found } of replaced) {
    const key = `${extractor.name} ${entry.path}`;
    const versions = earlier.get(key) ?? [];
    earlier.set(key, versions);
    versions.push({ layer: entry.layer, items: new Set(found.packages.map(identity)) });
  }
  return ({ extractor, entry }, item) => {
    const key = identity(item);
    let { layer } = entry;
    for (const version of earlier.get(`${extractor.name} ${entry.path}`) ?? []) {
      if (!version.items.has(key)) break;
      ({ layer } = version);
    }
    const found = layers[height.get(layer ?? "") ?? -1];
    return { layer, step: found?.step?.slice(0, 4096) ?? null, origin: found?.origin ?? null };
  };
}

function identity({ name, version, architecture, inside }: FoundPackage): string {
  return `${name} ${version} ${architecture ?? ""} ${inside ?? ""}`;
}

/** Which package of the distribution owns the file that told of a package. */
function ownership(
  files: ReadFile[],
  located: { item: InstalledPackage }[],
): (item: InstalledPackage) => string | null {
  const purls = new Map(located.map(({ item }) => [keyOf(item.type, item.name), item.purl]));
  const owners = new Map<string, string>();
  for (const { found } of files) {
    for (const { type, name, paths } of found.owned ?? []) {
      const purl = purls.get(keyOf(type, name));
      if (purl !== undefined) for (const path of paths) owners.set(mergedUsr(path), purl);
    }
  }
  return ({ location }) => {
    const end = location.indexOf("!/");
    return owners.get(mergedUsr(end < 0 ? location : location.slice(0, end))) ?? null;
  };
}

/** Packages list `/bin/x` where the tree, its links followed, has `/usr/bin/x`. https://wiki.debian.org/UsrMerge */
function mergedUsr(path: string): string {
  return /^\/(?:s?bin|lib(?:32|64|x32)?)\//.test(path) ? `/usr${path}` : path;
}

/** The same package told of twice in the same file is one; it is for development only where both say so. */
function unique(packages: InstalledPackage[]): InstalledPackage[] {
  const found = new Map<string, InstalledPackage>();
  for (const item of packages) {
    const key = `${item.purl} ${item.location}`;
    const other = found.get(key);
    found.set(key, other ? { ...other, development: other.development && item.development } : item);
  }
  return [...found.values()];
}
