import type { FileTree, TreeFacts } from "@bulwark/image";
import type { CheckResult, ExtractorStatus, Inventory, Malware, Secret } from "@bulwark/model";
import { maskText } from "@bulwark/secret";
import type { ExamineOptions } from "./examine.ts";
import { examine, type AnalyzerName } from "./scan.ts";

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

/**
 * Looks into a tree for packages, and for what else is asked for. Never raises for what is in the tree.
 *
 *     await using tree = await openImage("nginx:1.27");
 *     const { inventory, secrets } = await lookInto(tree, ["secrets", "checks"]);
 */
export async function lookInto(
  tree: FileTree,
  also: readonly Exclude<AnalyzerName, "inventory">[],
  options: ExamineOptions = {},
): Promise<Seen> {
  const { results, tree: facts } = await examine(tree, ["inventory", ...also], options);
  const { inventory, secrets, malware, checks }: Pick<typeof results, "inventory"> & Partial<typeof results> = results;
  const step = stepMasker();
  return {
    inventory: { ...inventory, packages: inventory.packages.map(step) },
    secrets: secrets?.secrets,
    malware: malware?.malware.map(step),
    checks: checks?.checks,
    parts: [secrets, malware, checks].filter((part) => part !== undefined).map(({ status }) => status),
    config: facts.config,
  };
}

/** Takes credentials out of the build steps that things came with; a step is the same text for many. */
function stepMasker(): <T extends { step: string | null }>(item: T) => T {
  const known = new Map<string, string>();
  return (item) => {
    const { step } = item;
    if (step === null) return item;
    const masked = known.get(step) ?? maskText(step);
    known.set(step, masked);
    return { ...item, step: masked };
  };
}
