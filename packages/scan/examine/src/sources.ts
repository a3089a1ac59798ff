import { codeVersion, type Source } from "./code-version.ts";
import type { AnalyzerName } from "./scan.ts";

/** Where the answers of each analyzer come from. A new one is a line here, too. */
const sources: Record<AnalyzerName, Source> = {
  inventory: { package: "@bulwark/inventory", content: [] },
  secrets: { package: "@bulwark/secret", content: ["secrets"] },
  malware: { package: "@bulwark/malware", content: ["malware"] },
  hashes: { package: "@bulwark/malware", content: [] },
  checks: { package: "@bulwark/manifest", content: ["checks/image"] },
};

const reading: Source = { package: "@bulwark/image", content: [] };

export function versionOf(name: AnalyzerName | null): string {
  return codeVersion([name === null ? reading : sources[name]]);
}

/** Of all that a scan with these analyzers says of a tree. */
export function versionOfAll(names: readonly AnalyzerName[]): string {
  return codeVersion([{ package: "@bulwark/examine", content: [] }, ...names.map((name) => sources[name])]);
}
