import type { Loaders } from "./registry.ts";

/** What a scan asks of files, by name. A new one is its package and a line here: threads import this, and load what they need. */
export const analyzers = {
  inventory: async () => (await import("@bulwark/inventory/analyzer")).inventoryAnalyzer,
  secrets: async () => (await import("@bulwark/secret")).secretAnalyzer,
  malware: async () => (await import("@bulwark/malware/analyzer")).malwareAnalyzer,
  hashes: async () => (await import("@bulwark/malware/hashes")).hashAnalyzer,
  checks: async () => (await import("@bulwark/manifest/analyzer")).imageCheckAnalyzer,
} satisfies Loaders;
