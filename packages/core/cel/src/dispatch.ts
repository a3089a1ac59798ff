import type { Call } from "./ast.ts";
import type { Overload } from "./environment.ts";
import { CelError } from "./errors.ts";
import { noOverload, type Node } from "./frame.ts";
import type { Type } from "./types.ts";
import {
  CelValue,
  Double,
  Duration,
  isInt,
  isMap,
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
  const choose = chooser(overloads, types);
  const { name, offset } = call;
  const [first, second] = nodes;
  const apply = (args: Value[], frame: Parameters<Node>[0]): Value => {
    const overload = choose(args);
    if (!overload) throw noOverload(name, args, offset);
    try {
      const run = overload.run as Run;
      const result = args.length === 1 ? run(args[0]) : args.length === 2 ? run(args[0], args[1]) : run(...args);
      frame.cost += overload.cost ? overload.cost(args, result) : 1;
      frame.check();
      return result;
    } catch (error) {
      if (error instanceof CelError) error.offset ??= offset;
      frame.cost++;
      throw error;
    }
  };
  if (first && nodes.length === 1) return (frame) => apply([first(frame)], frame);
  if (first && second && nodes.length === 2) {
    const quick = Object.hasOwn(ofNumbers, name) ? ofNumbers[name] : undefined;
    if (!quick) return (frame) => apply([first(frame), second(frame)], frame);
    return (frame) => {
      const a = first(frame);
      const b = second(frame);
      if (typeof a === "number" && typeof b === "number") {
        const result = quick(a, b);
        if (result !== undefined) {
          frame.cost++;
          return result;
        }
      }
      return apply([a, b], frame);
    };
  }
  return (frame) =>
    apply(
      nodes.map((node) => node(frame)),
      frame,
    );
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

/** The overload for some values, or undefined. What the checker knows for sure is not looked at again. */
function chooser(
  overloads: readonly Overload[],
  types: readonly Type[],
): (args: readonly Value[]) => Overload | undefined {
  const tests = overloads.map((overload) => ({
    overload,
    wanted: overload.args.map((declared, index) => {
      const known = types[index];
      return known?.kind === declared.kind && declared.kind !== "opaque" ? anything : accepts(declared);
    }),
  }));
  const [only] = tests;
  if (only && tests.length === 1 && only.wanted.every((accept) => accept === anything)) return () => only.overload;
  return (args) => tests.find(({ wanted }) => allAccept(wanted, args))?.overload;
}

function allAccept(wanted: readonly Accept[], args: readonly Value[]): boolean {
  for (let index = 0; index < wanted.length; index++) {
    if (wanted[index]?.(args[index]) === false) return false;
  }
  return true;
}

const anything: Accept = () => true;

/** Whether a value is of a type; of lists and maps only that they are. */
function accepts(type: Type): Accept {
  switch (type.kind) {
    case "dyn":
    case "param":
    case "any":
      return anything;
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
      return (value) => value === null || inner(value);
    }
    case "opaque":
      return (value) => value instanceof CelValue && value.type.name === type.name;
  }
}
