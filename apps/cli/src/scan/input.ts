import { statSync } from "node:fs";
import { hostname } from "node:os";
import { basename, resolve } from "node:path";
import { lookInto, type Seen } from "@bulwark/examine";
import type { FileTree } from "@bulwark/image";
import type { HashList } from "@bulwark/malware";
import type { Report } from "@bulwark/model";
import { UsageError } from "../local/options.ts";
import { lookOptionsOf, wanted } from "./look-options.ts";
import { openNamedImage, type ImageOptions } from "./open-image.ts";

/** What a scan looks at, as it is called: `image nginx.tar`, `host`. */
export interface Input {
  kind: Report["target"]["kind"];
  /** What comes behind the kind; the root for a host. */
  name: string;
}

export interface LookOptions extends ImageOptions {
  /** Whether programs and scripts are held against rules of malware, which takes longer than all else. */
  malware: boolean;
  /** Digests of malicious files that every file is held against. */
  listed: HashList | undefined;
  /** Socket of a clamd that looks at every file. */
  clamd: string | undefined;
  onProgress(text: string): void;
}

/** What was found in an input, before any advisory. */
export interface Found extends Omit<Seen, "config"> {
  target: Report["target"];
  /** When an image was made; null where it does not say, undefined for all that is none. */
  created?: string | null;
}

/** Reads the words behind `bulwark scan`. Raises `UsageError`. */
export function inputOf([kind, name, ...more]: string[]): Input {
  if (kind === "host" && name === undefined) return { kind, name: "/" };
  if (name !== undefined && more.length === 0) {
    if (kind === "image") return { kind, name };
    if (kind === "sbom" || kind === "container") return { kind, name };
    if (kind === "fs" || kind === "repo") return { kind, name: folder(name) };
  }
  throw new UsageError("usage", "say image, container, fs, repo or sbom and one name, or host", {
    remedy: "bulwark scan --help",
  });
}

function folder(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new UsageError("usage", `${path} is no folder`, { remedy: "name a folder that is there" });
}

/** Looks into an input. Raises the errors of the packages that open it. */
export async function look(input: Input, options: LookOptions): Promise<Found> {
  options.onProgress(`opening ${input.name}`);
  if (input.kind === "sbom") return (await import("./sbom.ts")).lookIntoSbom(input.name);
  if (input.kind === "container") return (await import("./container.ts")).lookIntoContainer(input.name, options);
  await using tree = await open(input, options);
  const { config, ...seen } = await lookInto(
    tree,
    wanted(options, input.kind === "image"),
    lookOptionsOf(options, input.name),
  );
  const platform = config === null ? null : `${config.os}/${config.architecture}`;
  const target = { kind: input.kind, name: nameOf(input), digest: tree.digest, platform };
  return { target, ...seen, ...(config && { created: config.created }) };
}

async function open({ kind, name }: Input, options: ImageOptions): Promise<FileTree> {
  if (kind === "image") return openNamedImage(name, options);
  const { openHost, openRepository, openRootfs } = await import("@bulwark/image");
  if (kind === "host") return openHost();
  return kind === "repo" ? openRepository(name) : openRootfs(name, name);
}

/** The name by which a report, its exceptions and its SARIF know what was scanned, wherever it lay. */
function nameOf({ kind, name }: Input): string {
  if (kind === "host") return hostname();
  return kind === "repo" ? basename(resolve(name)) : name;
}
