import { statSync } from "node:fs";
import { hostname } from "node:os";
import { basename, resolve } from "node:path";
import { openImage } from "@bulwark/image";
import { catalog } from "@bulwark/inventory";
import type { Inventory, Report } from "@bulwark/model";
import { UsageError } from "../local/options.ts";

/** What a scan looks at, as it is called: `image nginx.tar`, `host`. */
export interface Input {
  kind: Report["target"]["kind"];
  /** What comes behind the kind; the root for a host. */
  name: string;
}

/** What was found in an input, before any advisory. */
export interface Found {
  target: Report["target"];
  inventory: Inventory;
}

/** Reads the words behind `bulwark scan`. Raises `UsageError`. */
export function inputOf([kind, name, ...more]: string[]): Input {
  if (kind === "host" && name === undefined) return { kind, name: "/" };
  if (name !== undefined && more.length === 0) {
    if (kind === "image") return { kind, name };
    if (kind === "fs" || kind === "repo") return { kind, name: folder(name) };
  }
  throw new UsageError("usage", "say image, fs or repo and one name, or host", { remedy: "bulwark scan --help" });
}

function folder(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new UsageError("usage", `${path} is no folder`, { remedy: "name a folder that is there" });
}

/** Looks into an input. Raises the errors of the packages that open it. */
export async function look({ kind, name }: Input): Promise<Found> {
  await using tree = await openImage(name);
  const inventory = await catalog(tree);
  return { target: { kind, name: nameOf(kind, name), digest: tree.digest, platform: null }, inventory };
}

/** The name by which a report, its exceptions and its SARIF know what was scanned, wherever it lay. */
function nameOf(kind: Input["kind"], name: string): string {
  if (kind === "host") return hostname();
  return kind === "repo" ? basename(resolve(name)) : name;
}
