import { CelError, failure } from "./errors.ts";
import { typeOf, type Value } from "./values.ts";

const noLocals: Value[] = [];

/** One evaluation: what it was given, what macros hold, what it has cost. */
export class Frame {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly locals: Value[];
  cost = 0;
  readonly limit: number;

  /** `slots`: how many variables of macros there may be. */
  constructor(variables: Readonly<Record<string, unknown>>, limit: number, slots: number) {
    this.variables = variables;
    this.limit = limit;
    this.locals = slots === 0 ? noLocals : [];
  }

  /** Called where work repeats or grows with its data. */
  check(): void {
    if (this.cost > this.limit) throw new CelError("cost", `stopped: it costs more than ${this.limit}`);
  }
}

/** A part of an expression, ready to run. */
export type Node = (frame: Frame) => Value;

/** A value that is computed when it is first asked for; the slot is emptied by who opens its scope. */
export function lazy(slot: number, value: Node): Node {
  return (frame) => {
    frame.cost++;
    const known = frame.locals[slot];
    if (known !== undefined) return known;
    const made = value(frame);
    frame.locals[slot] = made;
    return made;
  };
}

export function noOverload(name: string, values: readonly Value[], offset?: number): CelError {
  const types = values.map((value) => typeOf(value).name).join(", ");
  return failure(`no such overload: ${name}(${types})`, offset);
}

/** What stops an evaluation at once, and no `||` takes in. */
export function isFatal(error: unknown): boolean {
  return !(error instanceof CelError) || error.code === "cost";
}
