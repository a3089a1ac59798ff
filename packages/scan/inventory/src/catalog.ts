import type { Examined, FileTree, TreeEntry } from "@bulwark/image";
import type { Inventory } from "@bulwark/model";
import { errorText } from "@bulwark/model/plain";
import { inventoryAnalyzer } from "./analyzer.ts";
import type { InventoryFact } from "./conclude.ts";
import { osFiles } from "./os-release.ts";

const osFileLimit = 65_536;

/**
 * The packages of a file tree. Never fails for what is in the tree: what could not be read is in `extractors`.
 */
export async function catalog(tree: FileTree): Promise<Inventory> {
  const examined: Examined<InventoryFact> = {
    facts: [],
    faults: [],
    tree: { name: tree.name, layers: [], config: null, osRelease: new Map(), faults: [] },
  };
  await readTree(tree, examined);
  return inventoryAnalyzer.conclude(examined);
}

/** Examines every wanted file. */
async function readTree(tree: FileTree, { facts, faults, tree: known }: Examined<InventoryFact>): Promise<void> {
  const { wants, examine, limit } = inventoryAnalyzer;
  // The mode is known only once a file is there: what may be a program is asked for, and left unread where it is none.
  const entryOf = (path: string): TreeEntry => ({ path, size: 4096, mode: 0o755, uid: 0, gid: 0, layer: null });
  try {
    for await (const file of tree.files((path) => osFiles.includes(path) || wants(entryOf(path)))) {
      const entry = { ...entryOf(file.path), size: file.size, mode: file.mode, layer: file.layer };
      try {
        if (osFiles.includes(file.path)) {
          known.osRelease.set(file.path, (await file.read(osFileLimit)).toString("utf8"));
          continue;
        }
        if (!wants(entry)) continue;
        const fact = examine(entry, await file.read(limit));
        if (fact !== undefined) facts.push({ entry, fact, removed: false });
      } catch (error) {
        faults.push({ entry, message: errorText(error), removed: false });
      }
    }
  } catch (error) {
    known.faults.push({ layer: null, message: errorText(error) });
  } finally {
    facts.sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
  }
}
