import type { FileTree } from "@bulwark/image";
import type { Also, LookOptions, Seen } from "./look.ts";
import { examine } from "./scan.ts";

/** Looks into a tree, whatever is known of it. `whole`: all of it could be read. */
export async function lookAnew(
  tree: FileTree,
  also: readonly Also[],
  options: LookOptions,
): Promise<{ seen: Seen; whole: boolean }> {
  const { results, tree: facts } = await examine(tree, ["inventory", ...also], options);
  const found: Pick<typeof results, "inventory"> & Partial<typeof results> = results;
  const { inventory, secrets, malware, hashes, checks } = found;
  // Until here the threads have had the processors.
  const { stepMasker } = await import("./step-masker.ts");
  const { listedFiles } = await import("@bulwark/malware/hashes");
  const step = stepMasker();
  const listed = hashes && options.listed && listedFiles(hashes.files, options.listed);
  const seen: Seen = {
    inventory: { ...inventory, packages: inventory.packages.map(step) },
    secrets: secrets?.secrets,
    malware: malware || listed ? [...(malware?.malware ?? []), ...(listed ?? [])].map(step) : undefined,
    checks: checks?.checks,
    parts: [secrets, malware, hashes, checks].filter((part) => part !== undefined).map(({ status }) => status),
    config: facts.config,
  };
  return { seen, whole: facts.faults.length === 0 };
}
