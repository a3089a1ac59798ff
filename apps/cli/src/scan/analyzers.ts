/** What `bulwark scan` asks of the files of a tree. Threads import this module; a new analyzer is a line here. */
import type { AnyAnalyzer } from "@bulwark/image";
import { inventoryAnalyzer } from "@bulwark/inventory";
import { malwareAnalyzer } from "@bulwark/malware";
import { imageCheckAnalyzer } from "@bulwark/manifest";
import { secretAnalyzer } from "@bulwark/secret";

export const analyzers = {
  inventory: inventoryAnalyzer,
  secrets: secretAnalyzer,
  malware: malwareAnalyzer,
  checks: imageCheckAnalyzer,
} satisfies Record<string, AnyAnalyzer>;
