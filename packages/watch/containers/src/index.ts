export * from "./content.ts";
export * from "./error.ts";
export { isHost } from "./host.ts";
export { containerdImages } from "./images.ts";
export * from "./open.ts";
export type { ContainerRegistry, ContentPlace, NodeImage } from "./registry.ts";
export { defaultPaths, type RuntimePaths } from "./runtimes/index.ts";
