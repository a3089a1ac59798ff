import type { MessagePort } from "node:worker_threads";
import type { BatchFacts, FilePlace, Folder, FolderBatch, Layer, LayerFacts } from "@bulwark/image";

/** What a thread is asked. `analyzers` are names. */
export type PassJob =
  | ({ kind: "layer"; analyzers: string[]; source: FilePlace | MessagePort } & Pick<Layer, "digest" | "digestOf">)
  | { kind: "batches"; analyzers: string[]; folder: Folder; batches: FolderBatch[] }
  /** To help another thread until that closes the port. */
  | { kind: "help"; analyzers: string[]; port: MessagePort };

/** Said to a thread that reads a layer: who helps. It has no answer. */
export interface HelpOffer {
  kind: "helper";
  port: MessagePort;
}

export type PassAnswer =
  | { kind: "layer"; facts: LayerFacts }
  | { kind: "batches"; facts: BatchFacts[] }
  | { kind: "helped" }
  /** A defect, or something of the machine: not of what was examined. */
  | { kind: "failed"; message: string };
