import type { Call } from "./ast.ts";
import type { Overload } from "./environment.ts";
import { CelError } from "./errors.ts";
import { noOverload, type Frame, type Node } from "./frame.ts";
import type { Type } from "./types.ts";
import {
  CelValue,
  Double,
  Duration,
  isInt,
  isMap,
  isRecord,
  MessageValue,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from "./values.ts";

type Accept = (value: Value) => boolean;
type Run = (...args: Value[]) => Value;

/** A call of a function: of its overloads the first whose types the values have. */
export function compileOverloads(
  call: Call,
  overloads: readonly Overload[],
  nodes: readonly Node[],
  types: readonly Type[],
): Node {
  const { name, offset } = call;
  const choice = new Choice(overloads, types);
  const [first, second] = nodes;
  if (first && nodes.length === 1) {
    return (frame) => {
      const a = first(frame);
      const overload = choice.ofOne(a);
      if (!overload) throw noOverload(name, [a], offset);
      try {
        const result = (overload.run as Run)(a);
        return paid(frame, overload.cost ? overload.cost(result, a) : 1, result);
      } catch (error) {
        throw failed(frame, error, offset);
      }
    };
  }
  if (first && second && nodes.length === 2) {
    const quick = Object.hasOwn(ofNumbers, name) ? ofNumbers[name] : undefined;
    return (frame) => {
      const a = first(frame);
      const b = second(frame);
      if (quick && typeof a === "number" && typeof b === "number") {
        const result = quick(a, b);
        if (result !== undefined) return paid(frame, 1, result);
      }
      const overload = choice.ofTwo(a, b);
      if (!overload) throw noOverload(name, [a, b], offset);
      try {
        const result = (overload.run as Run)(a, b);
        return paid(frame, overload.cost ? overload.cost(result, a, b) : 1, result);
      } catch (error) {
        throw failed(frame, error, offset);
      }
    };
  }
  return (frame) => {
    const args = nodes.map((node) => node(frame));
    const overload = choice.of(args);
    if (!overload) throw noOverload(name, args, offset);
    try {
      const result = (overload.run as Run)(...args);
      return paid(frame, overload.cost ? overload.cost(result, ...args) : 1, result);
    } catch (error) {
      throw failed(frame, error, offset);
    }
  };
}

function paid(frame: Frame, cost: number, result: Value): Value {
  frame.cost += cost;
  frame.check();
  return result;
}

function failed(frame: Frame, error: unknown, offset: number): unknown {
  if (error instanceof CelError) error.offset ??= offset;
  frame.cost++;
  return error;
}

/** Operators between small whole numbers, which is what most of them are; undefined where that is not exact. */
const ofNumbers: Readonly<Record<string, (a: number, b: number) => boolean | number | undefined>> = {
  "_+_": (a, b) => exact(a + b),
  "_-_": (a, b) => exact(a - b),
  "_*_": (a, b) => exact(a * b + 0),
  "_<_": (a, b) => a < b,
  "_<=_": (a, b) => a <= b,
  "_>_": (a, b) => a > b,
  "_>=_": (a, b) => a >= b,
};

function exact(result: number): number | undefined {
  return Number.isSafeInteger(result) ? result : undefined;
}

/** One value of each kind that JSON has, in the order of `kindOf`. */
const samples: readonly Value[] = ["", 0, false, null, [], {}];
const otherKind = samples.length;

function kindOf(value: Value): number {
  switch (typeof value) {
    case "string":
      return 0;
    case "number":
      return 1;
    case "boolean":
      return 2;
    default:
      if (value === null) return 3;
      if (Array.isArray(value)) return 4;
      return isRecord(value) ? 5 : otherKind;
  }
}

interface Candidate {
  readonly overload: Overload;
  /** Of each argument; undefined where there is nothing to look at any more. */
  readonly wanted: readonly (Accept | undefined)[];
}

/**
 * Chooses among overloads by the values, or undefined. What the checker knows for sure is not looked at again, nor what
 * the kind of the first value says: for each kind of JSON it is known beforehand which overloads take it.
 */
class Choice {
  readonly #byKind: readonly (readonly Candidate[])[];
  /** By kind, where nothing else has to be looked at. */
  readonly #sure: readonly (Overload | undefined)[];

  constructor(overloads: readonly Overload[], types: readonly Type[]) {
    const all = overloads.map((overload): Candidate => {
      const wanted = overload.args.map((declared, index) => {
        const known = types[index];
        return known?.kind === declared.kind && declared.kind !== "opaque" ? undefined : accepts(declared);
      });
      return { overload, wanted };
    });
    const ofKinds = samples.map((sample) =>
      all
        .filter(({ wanted: [first] }) => first?.(sample) !== false)
        .map(({ overload, wanted: [, ...rest] }) => ({ overload, wanted: [undefined, ...rest] })),
    );
    this.#byKind = [...ofKinds, all];
    this.#sure = this.#byKind.map(([candidate]) =>
      candidate?.wanted.every((accept) => accept === undefined) ? candidate.overload : undefined,
    );
  }

  ofOne(a: Value): Overload | undefined {
    return this.#sure[kindOf(a)] ?? this.of([a]);
  }

  ofTwo(a: Value, b: Value): Overload | undefined {
    return this.#sure[kindOf(a)] ?? this.of([a, b]);
  }

  of(args: readonly Value[]): Overload | undefined {
    const candidates = this.#byKind[kindOf(args[0])] ?? [];
    const fits = ({ wanted }: Candidate): boolean => wanted.every((accept, index) => accept?.(args[index]) !== false);
    return candidates.find(fits)?.overload;
  }
}

/** Whether a value is of a type; of lists and maps only that they are. Undefined: every value is. */
function accepts(type: Type): Accept | undefined {
  switch (type.kind) {
    case "dyn":
    case "param":
    case "any":
      return undefined;
    case "bool":
      return (value) => typeof value === "boolean";
    case "int":
      return isInt;
    case "string":
      return (value) => typeof value === "string";
    case "double":
      return (value) => value instanceof Double;
    case "uint":
      return (value) => value instanceof Uint;
    case "bytes":
      return (value) => value instanceof Uint8Array;
    case "duration":
      return (value) => value instanceof Duration;
    case "timestamp":
      return (value) => value instanceof Timestamp;
    case "null":
      return (value) => value === null;
    case "list":
      return Array.isArray;
    case "map":
      return isMap;
    case "type":
      return (value) => value instanceof TypeValue;
    case "object":
      return (value) => value instanceof MessageValue && value.name === type.name;
    case "wrapper": {
      const inner = accepts(type.params[0] ?? type);
      return (value) => value === null || inner?.(value) !== false;
    }
    case "opaque":
      return (value) => value instanceof CelValue && value.type.name === type.name;
  }
}
