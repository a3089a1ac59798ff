/** Operators: those that do not evaluate all of their operands, and quick ways for those that run most. */
import type { Call, Expr } from "./ast.ts";
import { isConstant, stepCost } from "./cost.ts";
import { isFatal, noOverload, type Node } from "./frame.ts";
import { index } from "./select.ts";
import { adapt, CelMap, equals, isList, isRecord, lookUp, own, sizeOf, type Value } from "./values.ts";

/** Undefined for what is an ordinary function. */
export function compileOperator({ name, args, offset }: Call, nodes: readonly Node[]): Node | undefined {
  const [first, second, third] = nodes;
  if (!first || !second) return undefined;
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
  if (second?.kind === "literal") return equalityTo(second.value, left);
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    frame.cost += equalityCost(a, b);
    return equals(a, b);
  };
}

/** With what is written out, as nearly all are. */
function equalityTo(constant: Value, node: Node): Node {
  if (typeof constant === "boolean" || typeof constant === "number") {
    return (frame) => {
      const value = node(frame);
      frame.cost++;
      return value === constant || equals(value, constant);
    };
  }
  const size = sizeOf(constant);
  return (frame) => {
    const value = node(frame);
    frame.cost += equalityCost(value, constant, size);
    return equals(value, constant);
  };
}

/** A tenth of the smaller one (cel-go, interpreter/runtimecost.go). */
function equalityCost(a: Value, b: Value, sizeOfB = sizeOf(b)): number {
  if (typeof a === "number" || typeof b === "number" || typeof a === "boolean" || typeof b === "boolean") return 1;
  // A character is one UTF-16 unit or two.
  const smaller = typeof a === "string" && a.length >= 2 * sizeOfB ? sizeOfB : Math.min(sizeOf(a), sizeOfB);
  return Math.ceil(smaller * 0.1);
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
