import type { Examined, ImageConfig, TreeEntry } from "@bulwark/image";
import type { InstalledPackage, Inventory } from "@bulwark/model";
import { inventoryAnalyzer } from "./analyzer.ts";
import type { InventoryFact } from "./conclude.ts";
import { osFiles } from "./os-release.ts";

export type Files = Record<string, string | Buffer>;

/** For tests: the inventory of a tree that has these files (by path without the first slash), all executable. */
export function inventoryOf(files: Files): Inventory {
  return inventoryOfLayers([{ files }]);
}

interface LayerOfFiles {
  files: Files;
  step?: string;
  origin?: "base" | "application";
}

/** The same of layers, lowest first; a file of a layer takes the place of the one below. With one layer there are none. */
export function inventoryOfLayers(layers: LayerOfFiles[], config: ImageConfig | null = null): Inventory {
  const examined: Examined<InventoryFact> = {
    facts: [],
    faults: [],
    tree: {
      name: "test",
      layers:
        layers.length === 1
          ? []
          : layers.map(({ step, origin }, at) => ({
              digest: `sha256:${at}`,
              step: step ?? null,
              origin: origin ?? null,
            })),
      config,
      osRelease: new Map(),
      faults: [],
    },
  };
  layers.forEach(({ files }, at) => {
    for (const [name, content] of Object.entries(files)) {
      const path = `/${name}`;
      const bytes = Buffer.from(content);
      const layer = layers.length === 1 ? null : `sha256:${at}`;
      const entry: TreeEntry = { path, size: bytes.length, mode: 0o755, uid: 0, gid: 0, layer };
      const removed = layers.slice(at + 1).some((above) => name in above.files);
      if (osFiles.includes(path) && !removed) examined.tree.osRelease.set(path, bytes.toString());
      if (!inventoryAnalyzer.wants(entry)) continue;
      try {
        const fact = inventoryAnalyzer.examine(entry, bytes);
        if (fact) examined.facts.push({ entry, fact: JSON.parse(JSON.stringify(fact)) as InventoryFact, removed });
      } catch (error) {
        examined.faults.push({ entry, message: String(error), removed });
      }
    }
  });
  examined.facts.sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
  return inventoryAnalyzer.conclude(examined);
}

/** `name version` of each, sorted. */
export function namesAndVersions({ packages }: { packages: InstalledPackage[] }): string[] {
  return packages.map(({ name, version }) => `${name} ${version}`).sort();
}
