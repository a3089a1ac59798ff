import { statSync } from "node:fs";
import { hostname } from "node:os";
import { basename, resolve } from "node:path";
import { LayerCache, lookInto, type AnalyzerName, type Progress, type Seen } from "@bulwark/examine";
import type { FileTree } from "@bulwark/image";
import { openImage, parsePlatform } from "@bulwark/image/open";
import type { Report } from "@bulwark/model";
import { UsageError } from "../local/options.ts";

/** What a scan looks at, as it is called: `image nginx.tar`, `host`. */
export interface Input {
  kind: Report["target"]["kind"];
  /** What comes behind the kind; the root for a host. */
  name: string;
}

export interface LookOptions {
  /** Whom nothing may be asked beyond this machine. */
  offline: boolean;
  /** `linux/arm64`; of an image for several. */
  platform: string | undefined;
  /** Whether programs and scripts are held against rules of malware, which takes longer than all else. */
  malware: boolean;
  onProgress(text: string): void;
}

/** What was found in an input, before any advisory. */
export interface Found extends Omit<Seen, "config"> {
  target: Report["target"];
}

/** Reads the words behind `bulwark scan`. Raises `UsageError`. */
export function inputOf([kind, name, ...more]: string[]): Input {
  if (kind === "host" && name === undefined) return { kind, name: "/" };
  if (name !== undefined && more.length === 0) {
    if (kind === "image") return { kind, name };
    if (kind === "sbom") return { kind, name };
    if (kind === "fs" || kind === "repo") return { kind, name: folder(name) };
  }
  throw new UsageError("usage", "say image, fs, repo or sbom and one name, or host", { remedy: "bulwark scan --help" });
}

function folder(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new UsageError("usage", `${path} is no folder`, { remedy: "name a folder that is there" });
}

/** Looks into an input. Raises the errors of the packages that open it. */
export async function look(input: Input, options: LookOptions): Promise<Found> {
  options.onProgress(`opening ${input.name}`);
  if (input.kind === "sbom") return (await import("./sbom.ts")).lookIntoSbom(input.name);
  await using tree = await open(input, options);
  const also: Exclude<AnalyzerName, "inventory">[] = ["secrets"];
  // Only an image has a configuration, and files that somebody chose to ship.
  if (input.kind === "image") also.push("checks");
  if (options.malware) also.push("malware");
  const { config, ...seen } = await lookInto(tree, also, {
    cache: new LayerCache(),
    onProgress: (progress) => options.onProgress(progressText(progress)),
  });
  const platform = config === null ? null : `${config.os}/${config.architecture}`;
  return { target: { kind: input.kind, name: nameOf(input), digest: tree.digest, platform }, ...seen };
}

async function open({ kind, name }: Input, { offline, platform }: LookOptions): Promise<FileTree> {
  if (kind !== "image") return openFolder(kind, name);
  const wanted = platform === undefined ? undefined : parsePlatform(platform);
  if (!offline) return openImage(name, { platform: wanted });
  // A registry is the one place that is not on this machine.
  const from = statSync(name, { throwIfNoEntry: false }) ? "file" : "docker";
  return openImage(name, { platform: wanted, from });
}

async function openFolder(kind: Exclude<Input["kind"], "image">, name: string): Promise<FileTree> {
  const { openHost, openRepository, openRootfs } = await import("@bulwark/image");
  if (kind === "host") return openHost();
  return kind === "repo" ? openRepository(name) : openRootfs(name, name);
}

function progressText({ done, total, bytes }: Progress): string {
  if (total === null) return `${done} files`;
  return `${done} of ${total} layers, ${Math.round(bytes / 1024 ** 2)} MB`;
}

/** The name by which a report, its exceptions and its SARIF know what was scanned, wherever it lay. */
function nameOf({ kind, name }: Input): string {
  if (kind === "host") return hostname();
  return kind === "repo" ? basename(resolve(name)) : name;
}
