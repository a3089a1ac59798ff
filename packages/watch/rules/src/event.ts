export type Scalar = string | number | boolean;

/** What a field can be: absent is `undefined`, and every comparison with it is false. */
export type FieldValue = Scalar | bigint | Uint8Array | readonly (string | number)[] | undefined;

/**
 * Where an engine keeps what it found out about a process. Whoever makes events gives every process an empty one, and a
 * new one when it executes another program.
 */
export interface ProcessMemory {
  /** The engine whose answers they are. */
  owner?: object;
  answers?: number[];
}

/** One thing that happened, as rules see it. */
export interface RuleEvent {
  /** `syscall`, `k8s_audit`. */
  readonly source: string;
  /** As `evt.type` has it: `openat`, `execve`. */
  readonly type: string;
  /** Of the process that did it: what rules ask of a process only is worked out once. Without it, every time. */
  readonly process?: ProcessMemory | undefined;
  /** The value of a field: `get("proc.name")`, `get("evt.arg", "flags")`, `get("proc.aname", "2")`. */
  get(field: string, argument?: string): FieldValue;
}
