import type { Comprehension, Expr } from "./ast.ts";
import type { Compiler } from "./compile.ts";
import { failure } from "./errors.ts";
import { isFatal, noOverload, type Frame, type Node } from "./frame.ts";
import { comparisonCost, sortByKeys } from "./libraries/lists.ts";
import {
  adapt,
  CelMap,
  isList,
  isMap,
  lookUp,
  mapEntries,
  mapKeys,
  mapSize,
  typeOf,
  type Mapped,
  type Value,
} from "./values.ts";

/**
 * What one step costs beside what it evaluates, as cel-go's expansion of the macro would (parser/macro.go): the
 * accumulator is read, tested and written.
 */
const perStep = { all: 3, exists: 4, kept: 12, inserted: 3, matched: 2 };

/** A macro that goes through a list or a map. */
export function compileComprehension(compiler: Compiler, expr: Comprehension): Node {
  const range = compiler.node(expr.range);
  return compiler.within(expr.variables, (slots) => {
    const filter = expr.filter && condition(compiler.node(expr.filter), expr.filter.offset);
    const body = compiler.node(expr.body);
    const elements = each(range, slots, expr.range);
    switch (expr.macro) {
      case "all":
      case "exists":
        return quantifier(elements, body, expr);
      case "existsOne":
        return existsOne(elements, condition(body, expr.body.offset));
      case "filter":
        return select(elements, condition(body, expr.body.offset), slots[0] ?? 0);
      case "map":
      case "transformList":
        return transform(elements, filter, body);
      case "sortBy":
        return sortBy(elements, range, body, expr.offset);
      case "transformMap":
        return transformMap(elements, filter, body, slots[0] ?? 0);
      case "transformMapEntry":
        return transformEntries(elements, filter, body, expr);
    }
  });
}

/** What is done for an element, with what it adds to. False: no more. */
type Step<Kept> = (frame: Frame, kept: Kept) => boolean;
/** Sets the variables for each element in turn. True where a step said no while there was more. */
type Each = <Kept>(frame: Frame, kept: Kept, step: Step<Kept>) => boolean;

function each(range: Node, [first = 0, second]: readonly number[], { offset }: Expr): Each {
  return (frame, kept, step) => {
    const value = range(frame);
    const list = isList(value) ? value : keysOf(value, offset);
    for (let index = 0; index < list.length; index++) {
      const item = adapt(list[index]);
      if (second === undefined) frame.locals[first] = item;
      else if (list === value) {
        frame.locals[first] = index;
        frame.locals[second] = item;
      } else {
        frame.locals[first] = item;
        frame.locals[second] = lookUp(value as Mapped, item);
      }
      frame.check();
      if (!step(frame, kept)) return index + 1 < list.length;
    }
    return false;
  };
}

function keysOf(value: Value, offset: number): readonly Value[] {
  if (isMap(value)) return mapKeys(value);
  throw failure(`a ${typeOf(value).name} cannot be gone through: it is neither a list nor a map`, offset);
}

function condition(node: Node, offset: number): (frame: Frame) => boolean {
  return (frame) => {
    const value = node(frame);
    if (typeof value !== "boolean") throw noOverload("_?_:_", [value], offset);
    return value;
  };
}

/** An error counts only where no other element decides. */
function quantifier(each: Each, body: Node, { macro, body: { offset } }: Comprehension): Node {
  const decisive = macro === "exists";
  const cost = decisive ? perStep.exists : perStep.all;
  const step: Step<Undecided> = (frame, kept) => {
    frame.cost += cost;
    try {
      const value = body(frame);
      if (value === decisive) {
        kept.decided = true;
        return false;
      }
      if (typeof value !== "boolean") kept.error ??= noOverload(decisive ? "_||_" : "_&&_", [value], offset);
    } catch (thrown) {
      if (isFatal(thrown)) throw thrown;
      kept.error ??= thrown;
    }
    return true;
  };
  return (frame) => {
    const kept: Undecided = { decided: false, error: undefined };
    const early = each(frame, kept, step);
    // The condition is looked at once more before the next element.
    frame.cost += early ? cost : 1;
    if (kept.decided) return decisive;
    if (kept.error !== undefined) throw kept.error;
    return !decisive;
  };
}

interface Undecided {
  decided: boolean;
  error: unknown;
}

function existsOne(each: Each, holds: (frame: Frame) => boolean): Node {
  const step: Step<{ count: number }> = (frame, kept) => {
    if (holds(frame)) {
      kept.count++;
      frame.cost += perStep.matched;
    }
    return true;
  };
  return (frame) => {
    const kept = { count: 0 };
    each(frame, kept, step);
    frame.cost += 2;
    return kept.count === 1;
  };
}

function select(each: Each, holds: (frame: Frame) => boolean, slot: number): Node {
  return collect(each, (frame, list) => {
    if (holds(frame)) {
      frame.cost += perStep.kept + 1;
      list.push(frame.locals[slot]);
    }
    return true;
  });
}

function transform(each: Each, filter: ((frame: Frame) => boolean) | undefined, body: Node): Node {
  return collect(each, (frame, list) => {
    if (filter && !filter(frame)) return true;
    list.push(body(frame));
    frame.cost += perStep.kept;
    return true;
  });
}

function collect(each: Each, step: Step<Value[]>): Node {
  return (frame) => {
    const list: Value[] = [];
    each(frame, list, step);
    frame.cost++;
    return list;
  };
}

function sortBy(each: Each, range: Node, body: Node, offset: number): Node {
  const step: Step<Value[]> = (frame, keys) => {
    keys.push(body(frame));
    frame.cost += perStep.kept;
    return true;
  };
  return (frame) => {
    const keys: Value[] = [];
    const list = range(frame);
    if (!isList(list)) throw noOverload("sortBy", [list], offset);
    each(frame, keys, step);
    frame.cost += 1 + comparisonCost(keys);
    frame.check();
    return sortByKeys(list.map(adapt), keys);
  };
}

function transformMap(each: Each, filter: ((frame: Frame) => boolean) | undefined, body: Node, slot: number): Node {
  const step: Step<Pair[]> = (frame, pairs) => {
    if (filter && !filter(frame)) return true;
    pairs.push([frame.locals[slot], body(frame)]);
    frame.cost += perStep.inserted;
    return true;
  };
  return (frame) => {
    const pairs: Pair[] = [];
    each(frame, pairs, step);
    frame.cost++;
    return CelMap.from(pairs);
  };
}

type Pair = readonly [key: Value, value: Value];

function transformEntries(
  each: Each,
  filter: ((frame: Frame) => boolean) | undefined,
  body: Node,
  { offset }: Comprehension,
): Node {
  const step: Step<Pair[]> = (frame, pairs) => {
    if (filter && !filter(frame)) return true;
    const entry = body(frame);
    if (!isMap(entry)) throw noOverload("transformMapEntry", [entry], offset);
    if (mapSize(entry) !== 1) throw failure("transformMapEntry takes a map of one entry", offset);
    pairs.push(...mapEntries(entry));
    frame.cost += perStep.inserted - 1;
    return true;
  };
  return (frame) => {
    const pairs: Pair[] = [];
    each(frame, pairs, step);
    frame.cost++;
    try {
      return CelMap.from(pairs);
    } catch (error) {
      throw failure(error instanceof Error ? error.message : String(error), offset);
    }
  };
}
