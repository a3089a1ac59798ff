import type { Comprehension } from "./ast.ts";
import type { Compiler } from "./compile.ts";
import { failure } from "./errors.ts";
import { isFatal, noOverload, type Frame, type Node } from "./frame.ts";
import { comparisonCost, sortByKeys } from "./libraries/lists.ts";
import { adapt, CelMap, isList, isMap, lookUp, mapEntries, mapKeys, mapSize, typeOf, type Value } from "./values.ts";

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
    const each = steps(range, slots, expr);
    switch (expr.macro) {
      case "all":
      case "exists":
        return quantifier(each, body, expr);
      case "existsOne":
        return existsOne(each, condition(body, expr.body.offset));
      case "filter":
        return select(each, condition(body, expr.body.offset), slots[0] ?? 0);
      case "map":
      case "transformList":
        return transform(each, filter, body);
      case "sortBy":
        return sortBy(each, range, body, expr.offset);
      case "transformMap":
        return transformMap(each, filter, body, slots[0] ?? 0);
      case "transformMapEntry":
        return transformEntries(each, filter, body, expr);
    }
  });
}

/** Sets the variables for each element and calls back. True where that said no while there was more. */
type Each = (frame: Frame, step: () => boolean) => boolean;

function steps(range: Node, slots: readonly number[], expr: Comprehension): Each {
  const [first = 0, second] = slots;
  return (frame, step) => {
    const value = range(frame);
    if (isList(value)) {
      for (let index = 0; index < value.length; index++) {
        if (second === undefined) frame.locals[first] = adapt(value[index]);
        else {
          frame.locals[first] = index;
          frame.locals[second] = adapt(value[index]);
        }
        frame.check();
        if (!step()) return index + 1 < value.length;
      }
    } else if (isMap(value)) {
      const keys = mapKeys(value);
      for (const [index, key] of keys.entries()) {
        frame.locals[first] = key;
        if (second !== undefined) frame.locals[second] = lookUp(value, key);
        frame.check();
        if (!step()) return index + 1 < keys.length;
      }
    } else {
      const text = `a ${typeOf(value).name} cannot be gone through: it is neither a list nor a map`;
      throw failure(text, expr.range.offset);
    }
    return false;
  };
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
  return (frame) => {
    let error: unknown;
    let decided = false;
    const early = each(frame, () => {
      frame.cost += cost;
      try {
        const value = body(frame);
        if (value === decisive) {
          decided = true;
          return false;
        }
        if (typeof value !== "boolean") error ??= noOverload(decisive ? "_||_" : "_&&_", [value], offset);
      } catch (thrown) {
        if (isFatal(thrown)) throw thrown;
        error ??= thrown;
      }
      return true;
    });
    // The condition is looked at once more before the next element.
    frame.cost += early ? cost : 1;
    if (decided) return decisive;
    if (error !== undefined) throw error;
    return !decisive;
  };
}

function existsOne(each: Each, holds: (frame: Frame) => boolean): Node {
  return (frame) => {
    let count = 0;
    each(frame, () => {
      if (holds(frame)) {
        count++;
        frame.cost += perStep.matched;
      }
      return true;
    });
    frame.cost += 2;
    return count === 1;
  };
}

function select(each: Each, holds: (frame: Frame) => boolean, slot: number): Node {
  return (frame) => {
    const list: Value[] = [];
    each(frame, () => {
      if (holds(frame)) {
        frame.cost += perStep.kept + 1;
        list.push(frame.locals[slot]);
      }
      return true;
    });
    frame.cost++;
    return list;
  };
}

function transform(each: Each, filter: ((frame: Frame) => boolean) | undefined, body: Node): Node {
  return (frame) => {
    const list: Value[] = [];
    each(frame, () => {
      if (filter && !filter(frame)) return true;
      list.push(body(frame));
      frame.cost += perStep.kept;
      return true;
    });
    frame.cost++;
    return list;
  };
}

function sortBy(each: Each, range: Node, body: Node, offset: number): Node {
  return (frame) => {
    const keys: Value[] = [];
    const list = range(frame);
    if (!isList(list)) throw noOverload("sortBy", [list], offset);
    each(frame, () => {
      keys.push(body(frame));
      frame.cost += perStep.kept;
      return true;
    });
    frame.cost += 1 + comparisonCost(keys);
    frame.check();
    return sortByKeys(list.map(adapt), keys);
  };
}

function transformMap(each: Each, filter: ((frame: Frame) => boolean) | undefined, body: Node, slot: number): Node {
  return (frame) => {
    const pairs: [Value, Value][] = [];
    each(frame, () => {
      if (filter && !filter(frame)) return true;
      pairs.push([frame.locals[slot], body(frame)]);
      frame.cost += perStep.inserted;
      return true;
    });
    frame.cost++;
    return CelMap.from(pairs);
  };
}

function transformEntries(
  each: Each,
  filter: ((frame: Frame) => boolean) | undefined,
  body: Node,
  { offset }: Comprehension,
): Node {
  return (frame) => {
    const pairs: (readonly [Value, Value])[] = [];
    each(frame, () => {
      if (filter && !filter(frame)) return true;
      const entry = body(frame);
      if (!isMap(entry)) throw noOverload("transformMapEntry", [entry], offset);
      if (mapSize(entry) !== 1) throw failure("transformMapEntry takes a map of one entry", offset);
      pairs.push(...mapEntries(entry));
      frame.cost += perStep.inserted - 1;
      return true;
    });
    frame.cost++;
    try {
      return CelMap.from(pairs);
    } catch (error) {
      throw failure(error instanceof Error ? error.message : String(error), offset);
    }
  };
}
