/** `@bulwark/image/reading`: what the threads of a scan need, without what opens images. */
export { gather, type Results } from "./examine-tree.ts";
export { examineFile, type FileFacts } from "./file-facts.ts";
export { readPlace } from "./file-place.ts";
export { examineBatch, walkFolder, type BatchFacts, type FolderBatch } from "./folder.ts";
export { examineLayer, type LayerFacts, type LayerHelp } from "./layer-facts.ts";
export { concludeOf, pileUp, type SeenTree } from "./pile.ts";
