import type { Analyzer, AnyAnalyzer, TreeFacts } from "./analyzer.ts";
import { byPath } from "./file-facts.ts";
import { examineBatch, walkFolder, type BatchFacts, type Folder } from "./folder.ts";
import type { FileTree, LayeredContent } from "./image.ts";
import { examineLayer, type LayerFacts } from "./layer-facts.ts";
import { concludeOf, pileUp, type SeenTree } from "./pile.ts";

/** What each analyzer concluded, under the key that it was given by. */
export type Results<Analyzers extends Record<string, AnyAnalyzer>> = {
  [Key in keyof Analyzers]: Analyzers[Key] extends Analyzer<infer _Fact, infer Result> ? Result : never;
};

/**
 * Asks analyzers about a tree, all in one pass, in this thread and without a cache. Never raises for what is in the tree:
 * `tree.faults` says what could not be looked at.
 *
 *     await using tree = await openImage("nginx.tar");
 *     const { results } = await examineTree(tree, { packages: inventoryAnalyzer });
 */
export async function examineTree<const Analyzers extends Record<string, AnyAnalyzer>>(
  tree: FileTree,
  analyzers: Analyzers,
): Promise<{ tree: TreeFacts; results: Results<Analyzers> }> {
  const all = Object.values(analyzers);
  const { content } = tree;
  const seen = content.kind === "layers" ? await seeLayers(tree, content, all) : seeFolder(tree, content, all);
  const results = Object.entries(analyzers).map(([key, analyzer]) => [key, concludeOf(analyzer, seen)]);
  return { tree: seen.tree, results: Object.fromEntries(results) as Results<Analyzers> };
}

async function seeLayers(
  tree: FileTree,
  content: LayeredContent,
  analyzers: readonly AnyAnalyzer[],
): Promise<SeenTree> {
  const facts: LayerFacts[] = [];
  for (const layer of content.layers) facts.push(await examineLayer(layer, analyzers));
  return pileUp(tree, content, facts);
}

function seeFolder(tree: FileTree, folder: Folder, analyzers: readonly AnyAnalyzer[]): SeenTree {
  const faults: TreeFacts["faults"] = [];
  const batches = Array.from(walkFolder(folder, faults), (batch) => examineBatch(folder, batch, analyzers));
  return gather(tree, batches, faults);
}

/** What batches of a folder say, as of one tree. */
export function gather(
  { name }: Pick<FileTree, "name">,
  batches: readonly BatchFacts[],
  faults: TreeFacts["faults"],
): SeenTree {
  const osRelease = new Map(batches.flatMap((batch) => batch.osRelease));
  return {
    tree: { name, layers: [], config: null, osRelease, faults },
    files: batches.flatMap(({ files }) => files.map((file) => ({ ...file, removed: false }))).sort(byPath),
  };
}
