import type { FileTree } from "@bulwark/image";
import { lookWithClamd } from "@bulwark/malware";
import type { Seen } from "./look.ts";
import { stepMasker } from "./step-masker.ts";

/** What was seen, and what a clamd says of every file of the tree. */
export async function withClamd(seen: Seen, tree: FileTree, address: string): Promise<Seen> {
  const { malware, status } = await lookWithClamd(tree, address);
  return {
    ...seen,
    malware: [...(seen.malware ?? []), ...malware.map(stepMasker())],
    parts: [...seen.parts, status],
  };
}
