/** Operators: those that do not evaluate all of their operands, and quick ways for those that run most. */
import type { Call, Expr } from "./ast.ts";
import { failure } from "./errors.ts";
import { isConstant, stepCost } from "./cost.ts";
import { isFatal, noOverload, type Node } from "./frame.ts";
import {
  adapt,
  CelMap,
  Double,
  equals,
  isInt,
  isList,
  isMap,
  isRecord,
  lookUp,
  MessageValue,
  Optional,
  own,
  sizeOf,
  typeOf,
  Uint,
  type Value,
} from "./values.ts";

/** Undefined for what is an ordinary function. */
export function compileOperator(
  { name, args, offset }: Call,
  nodes: readonly Node[],
  withTarget: boolean,
): Node | undefined {
  const [first, second, third] = nodes;
  if (!first || !second) return undefined;
  if (withTarget) return name === "or" || name === "orValue" ? alternative(first, second, name, offset) : undefined;
  switch (name) {
    case "_&&_":
    case "_||_":
      return logical(nodes, name === "_||_", offset);
    case "_?_:_":
      return third && conditional(first, second, third, offset);
    case "_==_":
      return equality(first, second, args);
    case "_!=_": {
      const equal = equality(first, second, args);
      return (frame) => !equal(frame);
    }
    case "_[_]":
      return index(first, second, args[0] ? stepCost(args[0]) : 1, offset);
    case "_[?_]":
      return optionalIndex(first, second, args[0] ? stepCost(args[0]) : 1, offset);
    case "@in":
      return membership(first, second, args[1] !== undefined && isConstant(args[1]), offset);
    default:
      return undefined;
  }
}

/** False wins over an error in `&&`, true in `||`, from either side. */
function logical(nodes: readonly Node[], decisive: boolean, offset: number): Node {
  const name = decisive ? "_||_" : "_&&_";
  return (frame) => {
    let error: unknown;
    for (const node of nodes) {
      try {
        const value = node(frame);
        if (value === decisive) return decisive;
        if (value !== !decisive) error ??= noOverload(name, [value], offset);
      } catch (thrown) {
        if (isFatal(thrown)) throw thrown;
        error ??= thrown;
      }
    }
    if (error !== undefined) throw error;
    return !decisive;
  };
}

function conditional(condition: Node, then: Node, otherwise: Node, offset: number): Node {
  return (frame) => {
    const value = condition(frame);
    if (value === true) return then(frame);
    if (value === false) return otherwise(frame);
    throw noOverload("_?_:_", [value], offset);
  };
}

function equality(left: Node, right: Node, [, second]: readonly Expr[]): Node {
  const constant = second?.kind === "literal" ? second.value : undefined;
  if (typeof constant === "string" && constant.length <= 10) {
    return (frame) => {
      const value = left(frame);
      frame.cost += constant === "" || value === "" ? 0 : 1;
      return value === constant;
    };
  }
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    frame.cost += equalityCost(a, b);
    return equals(a, b);
  };
}

/** A tenth of the smaller one (cel-go, interpreter/runtimecost.go). */
function equalityCost(a: Value, b: Value): number {
  if (typeof a === "number" || typeof b === "number" || typeof a === "boolean" || typeof b === "boolean") return 1;
  return Math.ceil(Math.min(sizeOf(a), sizeOf(b)) * 0.1);
}

function index(operand: Node, key: Node, cost: number, offset: number): Node {
  return (frame) => {
    const value = operand(frame);
    const at = key(frame);
    frame.cost += cost;
    if (typeof at === "string" && isRecord(value)) {
      const found = own(value, at);
      if (found !== undefined) return found;
    }
    if (value instanceof Optional) return optionalAt(value, at, offset);
    const found = itemAt(value, at, offset);
    if (found !== undefined) return found;
    if (isList(value)) throw failure(`index out of bounds: ${String(position(at) ?? at)}`, offset);
    throw failure(`no such key: ${keyText(at)}`, offset);
  };
}

function optionalIndex(operand: Node, key: Node, cost: number, offset: number): Node {
  return (frame) => {
    const value = operand(frame);
    const at = key(frame);
    const found = optionalAt(value, at, offset);
    if (found.value !== undefined) frame.cost += cost;
    return found;
  };
}

function optionalAt(value: Value, at: Value, offset: number): Optional {
  const inner = value instanceof Optional ? value.value : value;
  if (inner === undefined) return Optional.none;
  const found = itemAt(inner, at, offset);
  return found === undefined ? Optional.none : Optional.of(found);
}

/** Undefined where there is nothing. Raises where the operand has no items, or the key is of a kind it cannot have. */
function itemAt(value: Value, at: Value, offset: number): Value {
  if (isList(value)) {
    const place = position(at);
    if (place === undefined) throw noOverload("_[_]", [value, at], offset);
    return place >= 0 && place < value.length ? adapt(value[place]) : undefined;
  }
  if (value instanceof MessageValue && typeof at === "string") return value.get(at);
  if (!isMap(value)) throw noOverload("_[_]", [value, at], offset);
  if (typeof at === "object" && !(at instanceof Uint) && !(at instanceof Double)) {
    throw failure(`unsupported key type: ${typeOf(at).name}`, offset);
  }
  return lookUp(value, at);
}

/** A list is read at whole numbers of any of the three types. */
function position(at: Value): number | undefined {
  if (typeof at === "number") return at;
  if (isInt(at)) return Number(at);
  if (at instanceof Uint) return Number(at.value);
  return at instanceof Double && Number.isInteger(at.value) ? at.value : undefined;
}

function keyText(at: Value): string {
  return at instanceof Uint || at instanceof Double ? String(at.value) : String(at);
}

/** `a.or(b)`, `a.orValue(b)`: what stands after is only evaluated where there is no value. */
function alternative(optional: Node, otherwise: Node, name: string, offset: number): Node {
  return (frame) => {
    const value = optional(frame);
    if (!(value instanceof Optional)) throw noOverload(name, [value, undefined], offset);
    if (value.value !== undefined) return name === "or" ? value : value.value;
    const other = otherwise(frame);
    if (name === "or" && !(other instanceof Optional)) throw noOverload(name, [value, other], offset);
    return other;
  };
}

function membership(element: Node, container: Node, constant: boolean, offset: number): Node {
  return (frame) => {
    const value = element(frame);
    const within = container(frame);
    if (isList(within)) {
      if (!constant) {
        frame.cost += within.length;
        frame.check();
      }
      return includes(within, value);
    }
    frame.cost++;
    if (isRecord(within)) return typeof value === "string" && own(within, value) !== undefined;
    if (within instanceof CelMap) return lookUp(within, value) !== undefined;
    throw noOverload("@in", [value, within], offset);
  };
}

function includes(list: readonly Value[], value: Value): boolean {
  if (typeof value === "string" || typeof value === "boolean") return list.includes(value);
  return list.some((item) => equals(adapt(item), value));
}
