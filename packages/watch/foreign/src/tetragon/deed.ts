import type { ActivityRecord, ConnectionRecord } from "@bulwark/sensor";
import type { Argument } from "./argument.ts";
import type { Actor } from "./process.ts";

/** What somebody did, without who it was. */
export type Deed = Without<ActivityRecord> | (Pick<ConnectionRecord, "local" | "remote"> & { type: "connect" });

type Without<Kind> = Kind extends ActivityRecord ? Omit<Kind, keyof Actor> : never;

/** A function of the kernel or a system call that Tetragon saw. */
export interface Call {
  readonly name: string;
  readonly args: readonly Argument[];
  /** What it returned; null where that is not told. */
  readonly returned: number | null;
  /** Tetragon's policy made it fail. */
  readonly isRefused: boolean;
}

/** A text: why nothing can be made of it. */
export type Reading = Deed | string;
