import type { Analyzer } from "@bulwark/image";
import type { Inventory } from "@bulwark/model";
import { errorText } from "@bulwark/model/plain";
import { extractorsOf } from "./choose.ts";
import { conclude, type InventoryFact } from "./conclude.ts";
import { extractors } from "./extractors/index.ts";
import type { Extractor, Found, Owned } from "./extractor.ts";

export { osFiles } from "./os-release.ts";

/** The packages of a tree, as an analyzer that shares its pass over the tree with others. */
export const inventoryAnalyzer: Analyzer<InventoryFact, Inventory> = {
  name: "inventory",
  limit: Math.max(...extractors.map(({ limit }) => limit)),
  wants: (entry) => extractorsOf(entry).length > 0,
  examine(entry, content) {
    const fact: InventoryFact = {};
    for (const extractor of extractorsOf(entry)) {
      const found = tryExtract(extractor, entry.path, content);
      if (found !== undefined) fact[extractor.name] = found;
    }
    return Object.keys(fact).length === 0 ? undefined : fact;
  },
  conclude,
};

function tryExtract({ name, limit, extract }: Extractor, path: string, content: Buffer): Found | string | undefined {
  if (content.length > limit) return `${content.length} bytes: above the limit of ${limit} for ${name}`;
  try {
    const found = extract(content, path);
    return found?.owned === undefined ? found : { ...found, owned: found.owned.map(telling) };
  } catch (error) {
    return errorText(error);
  }
}

/** Of the files that a package owns, those that an extractor would ask for. */
function telling({ type, name, paths }: Owned): Owned {
  return { type, name, paths: paths.filter((path) => extractorsOf({ path, mode: 0o755, size: 4096 }).length > 0) };
}
