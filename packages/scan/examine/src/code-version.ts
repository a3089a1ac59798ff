import { createHash, type Hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

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
  const hash = createHash("sha256").update(process.version);
  // What npm installed, with the version of each; absent where others installed it.
  addFile(hash, join(root, "node_modules/.package-lock.json"));
  for (const folder of packagesOf(sources.map((source) => source.package))) {
    addFile(hash, join(folder, "package.json"));
    addFolder(hash, join(folder, "src"), (name) => /(?<!\.test|\.fixture)\.(?:ts|json)$/.test(name));
  }
  for (const folder of new Set(sources.flatMap(({ content }) => content)))
    addFolder(hash, join(root, "content", folder), () => true);
  return hash.digest("hex");
}

/** Folders of the packages, and of those of ours that they declare, and so on. */
function packagesOf(names: readonly string[]): Set<string> {
  const folders = new Set(names.map((name) => folderOf(name, import.meta.dirname)));
  // A set that grows while it is walked is walked to its new end.
  for (const folder of folders) {
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
    for (const name of Object.keys(dependencies)) if (name.startsWith(ours)) folders.add(folderOf(name, folder));
  }
  return folders;
}

interface Manifest {
  dependencies?: Record<string, string>;
}

/** Of a package whose face is `src/index.ts`. */
function folderOf(name: string, from: string): string {
  return dirname(dirname(createRequire(join(from, "package.json")).resolve(name)));
}

function addFolder(hash: Hash, folder: string, wants: (name: string) => boolean): void {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(wants).toSorted();
  for (const name of names) addFile(hash.update(`${name}\0`), join(folder, name));
}

function addFile(hash: Hash, path: string): void {
  try {
    const content = readFileSync(path);
    hash.update(`${content.length}\0`).update(content);
  } catch {
    // A folder, or a file that is not there: that is told by its name alone.
  }
}
