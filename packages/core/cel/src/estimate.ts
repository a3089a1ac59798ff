/** What an expression may cost, before it has seen any data (cel-go, checker/cost.go). */
import type { Call, Comprehension, Expr } from "./ast.ts";
import { check, type Checked } from "./checker.ts";
import { isConstant, stepCost } from "./cost.ts";
import type { Environment, Overload } from "./environment.ts";
import { parse, qualifiedName } from "./parser.ts";
import { Extent, sizeOf } from "./values.ts";

/** Least and most; the most may be `Infinity`. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface EstimateOptions {
  /** The largest size of what stands at a path, `object.spec.containers` or `object.spec.containers.@item.image`. */
  maxSize?: (path: string) => number | undefined;
}

/** Raises a `CelError`: `syntax` or `type`. */
export function estimateCost(expression: string, environment: Environment, options: EstimateOptions = {}): Range {
  const expr = parse(expression);
  return new Estimator(check(expr, environment), options).cost(expr);
}

const nothing: Range = { min: 0, max: 0 };
const unknown: Range = { min: 0, max: Infinity };
const exactly = (value: number): Range => ({ min: value, max: value });
const plus = (...ranges: Range[]): Range =>
  ranges.reduce((a, b) => ({ min: a.min + b.min, max: a.max + b.max }), nothing);
const either = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });
/** Nothing of what costs nothing, however often. */
const times = (count: Range, range: Range): Range => ({
  min: count.min * range.min,
  max: range.max === 0 || count.max === 0 ? 0 : count.max * range.max,
});

class Estimator {
  readonly #checked: Checked;
  readonly #options: EstimateOptions;
  /** Where the variables of macros stand. */
  readonly #paths = new Map<string, string>();

  constructor(checked: Checked, options: EstimateOptions) {
    this.#checked = checked;
    this.#options = options;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case "literal":
        return nothing;
      case "ident":
        return this.#checked.references.get(expr)?.kind === "constant" ? nothing : exactly(1);
      case "local":
        return exactly(1);
      case "select": {
        if (this.#checked.references.get(expr)?.kind === "constant") return nothing;
        const step = expr.test ? 0 : stepCost(expr.operand);
        return plus(this.cost(expr.operand), { min: expr.optional ? 0 : step, max: step });
      }
      case "list":
        return isConstant(expr) ? nothing : plus(exactly(10), ...expr.elements.map((it) => this.cost(it)));
      case "map":
        return isConstant(expr)
          ? nothing
          : plus(exactly(30), ...expr.entries.flatMap(({ key, value }) => [this.cost(key), this.cost(value)]));
      case "message":
        return plus(exactly(40), ...expr.fields.map(({ value }) => this.cost(value)));
      case "bind": {
        const value = this.cost(expr.value);
        const body = this.cost(expr.body);
        if (!expr.optional) return { min: body.min, max: value.max + body.max };
        return { min: value.min + 1, max: value.max * 2 + 3 + body.max };
      }
      case "block":
        return plus(...expr.values.map((it) => ({ min: 0, max: this.cost(it).max })), this.cost(expr.body));
      case "comprehension":
        return this.#comprehension(expr);
      case "call":
        return this.#call(expr);
    }
  }

  #comprehension(expr: Comprehension): Range {
    const path = this.#path(expr.range);
    const type = this.#checked.typeOf(expr.range).kind;
    const item = `${path ?? "?"}.${type === "map" && expr.variables.length === 1 ? "@key" : "@item"}`;
    const last = expr.variables.at(-1);
    if (last !== undefined) this.#paths.set(last, item);
    const size = this.size(expr.range);
    const filter = expr.filter ? this.cost(expr.filter) : nothing;
    const body = this.cost(expr.body);
    const most = { all: 3, exists: 4, existsOne: 2, filter: 13, map: 12, transformList: 12 } as const;
    const step = expr.macro in most ? most[expr.macro as keyof typeof most] : 12;
    const each = plus(filter, { min: expr.filter ? 0 : body.min, max: body.max }, { min: 0, max: step });
    const stops = expr.macro === "all" || expr.macro === "exists";
    const count = stops ? { min: Math.min(size.min, 1), max: size.max } : size;
    const sorting =
      expr.macro === "sortBy" ? times({ min: 0, max: size.max }, { min: 0, max: size.max * 2.1 }) : nothing;
    return plus(this.cost(expr.range), times(count, each), exactly(2), sorting);
  }

  #call(expr: Call): Range {
    const { name, args } = expr;
    const [first, second, third] = args;
    if (name === "_&&_" || name === "_||_") {
      const costs = args.map((it) => this.cost(it));
      return { min: costs[0]?.min ?? 0, max: plus(...costs).max };
    }
    if (name === "_?_:_" && first && second && third) {
      return plus(this.cost(first), either(this.cost(second), this.cost(third)));
    }
    const reference = this.#checked.references.get(expr);
    if (reference?.kind !== "function") return plus(...args.map((it) => this.cost(it)));
    const operands = expr.target && reference.withTarget ? [expr.target, ...args] : args;
    const costs = plus(...operands.map((it) => this.cost(it)));
    if (name === "@in" && second) {
      const list = this.#checked.typeOf(second).kind === "list";
      return plus(costs, isConstant(second) ? nothing : list ? this.size(second) : exactly(1));
    }
    if (name === "_==_" || name === "_!=_") return plus(costs, this.#equality(operands));
    if (name === "_[_]" && first) return plus(costs, exactly(stepCost(first)));
    const own = reference.overloads.map((overload) => this.#overload(overload, operands, this.size(expr)));
    return plus(costs, own.reduce(either, own[0] ?? exactly(1)));
  }

  /** A tenth of the smaller one. */
  #equality(operands: readonly Expr[]): Range {
    const [a = exactly(1), b = exactly(1)] = operands.map((it) => this.size(it));
    return {
      min: Math.ceil(Math.min(a.min, b.min) * 0.1),
      max: Math.max(1, Math.ceil(Math.min(a.max, b.max) * 0.1)),
    };
  }

  /** The price that the overload itself asks, for the least and the largest of what it may be given. */
  #overload({ cost }: Overload, operands: readonly Expr[], result: Range): Range {
    if (!cost) return exactly(1);
    const sizes = operands.map((it) => this.size(it));
    const at = (bound: "max" | "min"): number =>
      cost(new Extent(result[bound]), ...sizes.map((size) => new Extent(size[bound])));
    const [min, max] = [at("min"), at("max")];
    return { min: Number.isNaN(min) ? 0 : min, max: Number.isNaN(max) ? Infinity : max };
  }

  /** Characters, elements or entries that the value of an expression has. */
  size(expr: Expr): Range {
    if (expr.kind === "literal") return exactly(sizeOf(expr.value));
    if (expr.kind === "list") return { min: expr.elements.length - expr.optional.size, max: expr.elements.length };
    if (expr.kind === "map") return { min: 0, max: expr.entries.length };
    const { kind } = this.#checked.typeOf(expr);
    if (!["string", "bytes", "list", "map", "dyn", "any", "param"].includes(kind)) return exactly(1);
    if (expr.kind === "comprehension") return { min: 0, max: this.size(expr.range).max };
    if (expr.kind === "call") return this.#resultSize(expr);
    const path = this.#path(expr);
    const known = path === undefined ? undefined : this.#options.maxSize?.(path);
    return known === undefined ? unknown : { min: 0, max: known };
  }

  #resultSize({ name, target, args }: Call): Range {
    const operands = target ? [target, ...args] : args;
    if (name === "_+_") return plus(...operands.map((it) => this.size(it)));
    if (name === "_?_:_" && args[1] && args[2]) return either(this.size(args[1]), this.size(args[2]));
    const notLarger = ["charAt", "find", "lowerAscii", "slice", "split", "substring", "trim", "upperAscii"];
    const [first] = operands;
    if (first && notLarger.includes(name)) return { min: 0, max: this.size(first).max + 1 };
    return unknown;
  }

  #path(expr: Expr): string | undefined {
    const name = qualifiedName(expr);
    if (name === undefined) return undefined;
    const [root = "", ...rest] = name.split(".");
    return [this.#paths.get(root) ?? root, ...rest].join(".");
  }
}
