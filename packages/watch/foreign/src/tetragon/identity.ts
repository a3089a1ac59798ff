import { bigAt, hasMark, nanosecondsAt, textAt, type Json } from "../json.ts";
import { Latest } from "../latest.ts";

/** A process by its number and its start in nanoseconds since boot, as the process table has it. */
export interface Identity {
  readonly pid: number;
  readonly startTime: bigint;
}

export const nobody: Identity = { pid: 0, startTime: 0n };
const remembered = 20_000;

/**
 * Who processes are. Tetragon gives a new identity with every program that a process begins, and calls the one before
 * its parent; Bulwark's process stays the same one. So programs without a clone(2) before them are led back to the first.
 */
export class Identities {
  /** By `exec_id`, of those that are not what their own id says. */
  readonly #led = new Latest<Identity>(remembered);

  /** Undefined where not even a number is told. */
  of(process: Json): Identity | undefined {
    const id = textAt(process["exec_id"], 1024);
    const own = this.byId(id);
    if (own === undefined) return withoutId(process);
    const parentId = textAt(process["parent_exec_id"], 1024);
    if (parentId === id || !continues(process, own)) return own;
    const before = this.byId(parentId);
    if (before === undefined) return own;
    this.#led.set(id, before);
    return before;
  }

  /** Base64 of `node:start:pid`. */
  byId(id: string): Identity | undefined {
    return id === "" ? undefined : (this.#led.get(id) ?? decoded(id));
  }
}

/** Whether it is the program of a process that ran another one before. */
export function continues(process: Json, { pid }: { pid: number }): boolean {
  const parent = decoded(textAt(process["parent_exec_id"], 1024));
  return parent?.pid === pid && !hasFlag(process, "clone");
}

export function hasFlag(process: Json, flag: string): boolean {
  return hasMark(process["flags"], flag);
}

/** The start that an id names: of the program, not always of its process. */
export function programStart(process: Json): bigint | undefined {
  return decoded(textAt(process["exec_id"], 1024))?.startTime;
}

function decoded(id: string): Identity | undefined {
  const match = /:(\d{1,19}):(\d{1,10})$/.exec(Buffer.from(id, "base64").toString("latin1"));
  if (!match) return undefined;
  const pid = Number(match[2]);
  return pid <= 0xffff_ffff ? { pid, startTime: BigInt(match[1] ?? "0") } : undefined;
}

/** What Tetragon has not seen begin has a number, and the time of its start by the clock. */
function withoutId(process: Json): Identity | undefined {
  const pid = Number(bigAt(process["pid"]) ?? -1n);
  if (pid < 0 || pid > 0xffff_ffff) return undefined;
  return { pid, startTime: nanosecondsAt(process["start_time"]) ?? 0n };
}
