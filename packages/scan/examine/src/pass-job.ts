import type { MessagePort } from "node:worker_threads";
import type { BatchFacts, FilePlace, Folder, FolderBatch, Layer, LayerFacts } from "@bulwark/image";

/** What a thread is asked. `analyzers` are names. */
export type PassJob =
  | ({ kind: "layer"; analyzers: string[]; source: FilePlace | MessagePort } & Pick<Layer, "digest" | "digestOf">)
  | { kind: "batches"; analyzers: string[]; folder: Folder; batches: FolderBatch[] };

export type PassAnswer =
  | { kind: "layer"; facts: LayerFacts }
  | { kind: "batches"; facts: BatchFacts[] }
  /** A defect, or something of the machine: not of what was examined. */
  | { kind: "failed"; message: string };
