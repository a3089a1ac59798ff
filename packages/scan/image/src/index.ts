export type { Analyzer, AnyAnalyzer, Examined, ImageConfig, TreeEntry, TreeFacts, TreeFault } from "./analyzer.ts";
export type { OpenOptions } from "./archive.ts";
export { ownPlatform, type ContentStore, type Platform } from "./content.ts";
export * from "./error.ts";
export * from "./examine-tree.ts";
export type { FileTree, TreeFile } from "./image.ts";
export { openFromStore } from "./layers.ts";
export * from "./open.ts";
export { openRootfs } from "./rootfs.ts";
