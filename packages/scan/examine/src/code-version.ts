import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { kept } from "@bulwark/content/kept";
import type { ContentText } from "@bulwark/content";

/** Where the answers of an analyzer come from. */
export interface Source {
  /** Name of the package: its code counts, and that of the packages of ours that it builds on. */
  package: string;
  /** Folders below `content`. */
  content: readonly string[];
}

const root = join(import.meta.dirname, "../../../..");
const ours = "@bulwark/";

/**
 * A digest of all that decides what an analyzer answers: code, content, what npm installed, and Node. What was kept of
 * another one is not used; nobody has to remember to count a version up.
 */
export function codeVersion(sources: readonly Source[]): string {
  const files = filesOf(sources);
  // Hundreds of files are read once, and again when the system says that one of them was touched.
  const stamps = files.map((name): ContentText => ({ name, text: stampOf(name) }));
  const kind = `code-${sources.map((source) => source.package.slice(ours.length)).join("+")}`;
  return kept(kind, [{ name: "node", text: process.version }, ...stamps], [import.meta.url], () => digestOf(files));
}

function digestOf(files: readonly string[]): string {
  const hash = createHash("sha256").update(process.version);
  for (const file of files) {
    const content = contentOf(file);
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.of();
  }
}

/** Changes with every change of a file: when its content or its rights were changed cannot be set by anybody. */
export function stampOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found ? [found.dev, found.ino, found.size, found.mtimeMs, found.ctimeMs].join(" ") : "";
}

function filesOf(sources: readonly Source[]): string[] {
  const code = packagesOf(sources.map((source) => source.package)).flatMap((folder) => [
    join(folder, "package.json"),
    ...below(join(folder, "src"), /(?<!\.test|\.fixture)\.(?:ts|json)$/),
  ]);
  const content = new Set(sources.flatMap((source) => source.content));
  return [
    // What npm installed, with the version of each; absent where others installed it.
    join(root, "node_modules/.package-lock.json"),
    ...code,
    ...[...content].flatMap((folder) => below(join(root, "content", folder), /\.\w+$/)),
  ];
}

/** Folders of the packages, and of those of ours that they declare, and so on. */
function packagesOf(names: readonly string[]): string[] {
  const all = new Set(names);
  // A set that grows while it is walked is walked to its new end.
  for (const name of all) {
    const { dependencies = {} } = JSON.parse(readFileSync(join(folderOf(name), "package.json"), "utf8")) as Manifest;
    for (const dependency of Object.keys(dependencies)) if (dependency.startsWith(ours)) all.add(dependency);
  }
  return [...all].map(folderOf);
}

interface Manifest {
  dependencies?: Record<string, string>;
}

/** Where npm links every package of the workspace. */
function folderOf(name: string): string {
  return join(root, "node_modules", name);
}

function below(folder: string, wanted: RegExp): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => wanted.test(name));
  return names.toSorted().map((name) => join(folder, name));
}
