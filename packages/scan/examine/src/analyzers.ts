import type { AnyAnalyzer } from "@bulwark/image";
import { inventoryAnalyzer } from "@bulwark/inventory/analyzer";
import { malwareAnalyzer } from "@bulwark/malware/analyzer";
import { hashAnalyzer } from "@bulwark/malware/hashes";
import { imageCheckAnalyzer } from "@bulwark/manifest";
import { secretAnalyzer } from "@bulwark/secret";

/** What a scan asks of files, by the name of the answer. A new one is its package and a line here: threads import this. */
export const analyzers = {
  inventory: inventoryAnalyzer,
  secrets: secretAnalyzer,
  malware: malwareAnalyzer,
  hashes: hashAnalyzer,
  checks: imageCheckAnalyzer,
} satisfies Record<string, AnyAnalyzer>;
