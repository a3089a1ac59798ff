import type { Container } from "@bulwark/model";

/** A process by what names it for good: a number is used again. */
export interface ProcessTarget {
  pid: number;
  /** Nanoseconds since boot, as the sensor tells it. */
  startTime: bigint;
}

/** What may be done. A new one is a file in `actions/` and a line in its index. */
export type ActionRequest = {
  container: Container;
  /** Who wants it, and why: for the audit log. */
  by: string;
  reason: string;
} & ({ kind: "kill"; process: ProcessTarget } | { kind: "freeze"; limitMs: number });

export type ActionState =
  /** Nothing was done: it would have been. */
  | "dry-run"
  | "done"
  | "undone"
  /** Nobody allowed it for this container, or it would hit the node itself. */
  | "refused"
  | "failed";

/** What became of a request: for the audit log and for whoever asked. */
export interface ActionRecord {
  id: string;
  /** Milliseconds since the epoch. */
  time: number;
  kind: ActionRequest["kind"];
  container: string;
  by: string;
  reason: string;
  state: ActionState;
  /** What was done, or why it was not. */
  text: string;
  /** What would mend it; empty when it is done. */
  remedy: string;
  /** When it undoes itself, milliseconds since the epoch; null: it cannot be undone. */
  until: number | null;
}

/** What an action says of its attempt. */
export type Attempt =
  | { ok: true; text: string; undo?: () => Promise<string> }
  | { ok: false; text: string; remedy: string };
