import type { FileTree } from "@bulwark/image";
import { maskText } from "@bulwark/secret";
import type { ExamineOptions } from "./examine.ts";
import type { Also, Seen } from "./look.ts";
import { examine } from "./scan.ts";

/** Looks into a tree, whatever is known of it. `whole`: all of it could be read. */
export async function lookAnew(
  tree: FileTree,
  also: readonly Also[],
  options: ExamineOptions,
): Promise<{ seen: Seen; whole: boolean }> {
  const { results, tree: facts } = await examine(tree, ["inventory", ...also], options);
  const { inventory, secrets, malware, checks }: Pick<typeof results, "inventory"> & Partial<typeof results> = results;
  const step = stepMasker();
  const seen: Seen = {
    inventory: { ...inventory, packages: inventory.packages.map(step) },
    secrets: secrets?.secrets,
    malware: malware?.malware.map(step),
    checks: checks?.checks,
    parts: [secrets, malware, checks].filter((part) => part !== undefined).map(({ status }) => status),
    config: facts.config,
  };
  return { seen, whole: facts.faults.length === 0 };
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
