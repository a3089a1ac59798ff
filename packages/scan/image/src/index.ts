export type { Analyzer, Examined, ImageConfig, TreeEntry, TreeFacts } from "./analyzer.ts";
export type { OpenOptions } from "./archive.ts";
export { ownPlatform, type ContentStore, type Platform } from "./content.ts";
export * from "./error.ts";
export type { FileTree, TreeFile } from "./image.ts";
export { openFromStore } from "./layers.ts";
export * from "./open.ts";
export { openRootfs } from "./rootfs.ts";
