import type { Evidence, Severity } from "@bulwark/model";
import type { Entry, ProcessTable } from "./process-table.ts";

/** What happened, to a process that the table has already taken in. */
export interface Observation {
  kind: "exec" | "fork" | "connect" | "look";
  process: Entry;
  table: ProcessTable;
}

/** A detector's verdict on one observation. */
export interface Detection {
  /** The process that the alert is about; not always the one that was observed. */
  subject: Entry;
  evidence: Evidence[];
  /** The same key within an hour is the same alert, and is not raised again. */
  key: string;
  severity?: Severity;
  techniques?: string[];
}

/** One detection. A new one is a file in `detectors/` and a line in its index, with cases beside it. */
export interface Detector {
  id: string;
  title: string;
  description: string;
  /** What to do about it. */
  remedy: string;
  severity: Severity;
  /** MITRE ATT&CK. */
  techniques: string[];
  /** Pure: everything that it needs is in the observation. */
  detect(observation: Observation): Detection | undefined;
}
