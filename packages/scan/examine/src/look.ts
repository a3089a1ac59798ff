import type { FileTree, TreeFacts } from "@bulwark/image";
import type { HashList } from "@bulwark/malware";
import type { CheckResult, ExtractorStatus, Inventory, Malware, Secret } from "@bulwark/model";
import type { ExamineOptions } from "./examine.ts";
import type { AnalyzerName } from "./scan.ts";
import { versionOfAll } from "./sources.ts";

/** What was found in a tree, fit to be shown: every credential in it is masked, those of build steps too. */
export interface Seen {
  inventory: Inventory;
  /** Undefined where it was not asked for. */
  secrets: Secret[] | undefined;
  malware: Malware[] | undefined;
  checks: CheckResult[] | undefined;
  /** How the parts besides the extractors of packages got on. */
  parts: ExtractorStatus[];
  /** The image's own configuration; null for a bare tree. */
  config: TreeFacts["config"];
}

/** What can be looked for, besides packages. */
export type Also = Exclude<AnalyzerName, "inventory">;

export interface LookOptions extends ExamineOptions {
  /** What every file is held against, where `hashes` is looked for. */
  listed?: HashList | undefined;
  /** Socket of a clamd that looks at every file. */
  clamd?: string | undefined;
}

/**
 * Looks into a tree for packages, and for what else is asked for. Never raises for what is in the tree. Where the cache
 * knows the whole image, nothing of it is read, and neither threads nor analyzers are loaded.
 *
 *     await using tree = await openImage("nginx:1.27");
 *     const { inventory, secrets } = await lookInto(tree, ["secrets", "checks"]);
 */
export async function lookInto(tree: FileTree, also: readonly Also[], options: LookOptions = {}): Promise<Seen> {
  const { clamd } = options;
  const seen = await lookKept(tree, also, options);
  if (clamd === undefined) return seen;
  const { withClamd } = await import("./with-clamd.ts");
  return withClamd(seen, tree, clamd);
}

async function lookKept(tree: FileTree, also: readonly Also[], options: LookOptions): Promise<Seen> {
  const { cache } = options;
  const key = cache && keyOf(tree, also, options);
  const known = key && cache.conclusion(key);
  if (known) return known as Seen;
  const { lookAnew } = await import("./look-anew.ts");
  const { seen, whole } = await lookAnew(tree, also, options);
  if (key && whole) cache.keepConclusion(key, seen);
  return seen;
}

/** All that an image's conclusion comes from; undefined for a bare tree, whose files may change. */
function keyOf({ name, content }: FileTree, also: readonly Also[], { listed }: LookOptions): unknown {
  if (content.kind !== "layers") return undefined;
  const layers = content.layers.map(({ digest, digestOf }) => [digest, digestOf]);
  return [versionOfAll(["inventory", ...also]), also, name, layers, content.config, listed?.digest];
}
