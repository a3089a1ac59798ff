import type { FileTree, Results, TreeFacts } from "@bulwark/image";
import { analyzers } from "./analyzers.ts";
import { examineWith, type ExamineOptions } from "./examine.ts";
import type { Loaded } from "./registry.ts";
import { versionOf } from "./sources.ts";

type Analyzers = typeof analyzers;
export type AnalyzerName = keyof Analyzers;

/**
 * Asks analyzers about a tree, all in one pass, layers and files in threads. Never raises for what is in the tree:
 * `tree.faults` says what could not be looked at.
 *
 *     await using tree = await openImage("nginx:1.27");
 *     const { results } = await examine(tree, ["inventory", "secrets"], { cache: new LayerCache() });
 */
export async function examine<Name extends AnalyzerName>(
  tree: FileTree,
  names: readonly Name[],
  options: ExamineOptions = {},
): Promise<{ tree: TreeFacts; results: Pick<Results<Loaded<Analyzers>>, Name> }> {
  const registry = { module: new URL("analyzers.ts", import.meta.url).href, analyzers, version: versionOf };
  return examineWith(registry, tree, names, options);
}
