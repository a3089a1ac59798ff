import type { Bind, Block, Call, Expr, List, MapLiteral, Message, Select } from "./ast.ts";
import { check, type Checked } from "./checker.ts";
import { compileComprehension } from "./comprehension.ts";
import { isConstant, stepCost } from "./cost.ts";
import { makeMessage, type Environment, type Overload } from "./environment.ts";
import { CelError, failure } from "./errors.ts";
import { Frame, lazy, noOverload, type Node } from "./frame.ts";
import { compileOverloads } from "./dispatch.ts";
import { compileOperator } from "./operators.ts";
import { demanded, hasValue, or, orValue, unwrapped, wrapped } from "./optional.ts";
import { parse } from "./parser.ts";
import { regex } from "./regex.ts";
import { optionalIndex, selectFields, selectOptionals, testField, type Step } from "./select.ts";
import type { Type } from "./types.ts";
import { adapt, CelMap, Optional, type Value } from "./values.ts";

export interface Program {
  readonly expression: string;
  readonly type: Type;
  /** The variables that it may ask for. */
  readonly names: ReadonlySet<string>;
  /**
   * The value for these variables. Raises a `CelError`: `evaluation` where it fails, `cost` where it goes on for too
   * long. Getters of `variables` run when an expression asks for them.
   */
  evaluate(variables: Readonly<Record<string, unknown>>, limits?: Limits): Value;
}

export interface Limits {
  /** Cost at which it is stopped; Kubernetes allows 1,000,000 for one expression (`perCallLimit`). */
  costLimit?: number;
  /** Told how much it was, also when it failed. */
  spent?(cost: number): void;
}
const noLimits: Limits = {};

/** Kubernetes' limit for one expression: about a tenth of a second there (apiserver, apis/cel/config.go). */
export const perCallLimit = 1_000_000;

export interface CompileOptions {
  /** False: types are only looked at when it runs. */
  checked?: boolean;
}

/** Reads, checks and compiles an expression. Raises a `CelError`: `syntax` or `type`. */
export function compile(expression: string, environment: Environment, options: CompileOptions = {}): Program {
  const expr = parse(expression);
  const checked = check(expr, environment, { lenient: options.checked === false });
  const compiler = new Compiler(checked);
  const run = compiler.node(expr);
  const { slots } = compiler;
  return {
    expression,
    type: checked.type,
    names: new Set([...checked.references.values()].flatMap((it) => (it.kind === "variable" ? [it.name] : []))),
    evaluate(variables, limits = noLimits) {
      const frame = new Frame(variables, limits.costLimit ?? perCallLimit, slots);
      try {
        const value = run(frame);
        frame.check();
        return value;
      } finally {
        limits.spent?.(frame.cost);
      }
    },
  };
}

/** Names of macros' variables to places in the frame. */
type Scope = ReadonlyMap<string, Place>;
interface Place {
  readonly slot: number;
  /** Computed when it is first asked for. */
  readonly lazy: Node | undefined;
}

export class Compiler {
  readonly checked: Checked;
  /** Places in the frame that are taken. */
  slots = 0;
  #scope: Scope = new Map();

  constructor(checked: Checked) {
    this.checked = checked;
  }

  node(expr: Expr): Node {
    switch (expr.kind) {
      case "literal": {
        const { value } = expr;
        return () => value;
      }
      case "ident":
        return this.#name(expr, expr.name, expr.offset);
      case "local":
        return this.#local(expr.name) ?? this.#unknown(expr.name, expr.offset);
      case "select":
        return this.checked.references.has(expr) ? this.#name(expr, "", expr.offset) : this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "message":
        return this.#message(expr);
      case "comprehension":
        return compileComprehension(this, expr);
      case "bind":
        return this.#bind(expr);
      case "block":
        return this.#block(expr);
    }
  }

  /** Compiles with variables of a macro in scope; their slots are given to `run`. */
  within<T>(names: readonly string[], run: (slots: number[]) => T): T {
    return this.#withPlaces(
      names.map((name) => ({ name, lazy: undefined })),
      run,
    );
  }

  #withPlaces<T>(places: { name: string; lazy: Node | undefined }[], run: (slots: number[]) => T): T {
    const outer = this.#scope;
    const slots = places.map(() => this.slots++);
    this.#scope = new Map([
      ...outer,
      ...places.map(({ name, lazy: value }, index) => [name, { slot: slots[index] ?? 0, lazy: value }] as const),
    ]);
    const result = run(slots);
    this.#scope = outer;
    return result;
  }

  #name(expr: Expr, name: string, offset: number): Node {
    const reference = this.checked.references.get(expr);
    if (reference?.kind === "constant") {
      const { value } = reference;
      return () => value;
    }
    if (reference?.kind === "local") return this.#local(name) ?? this.#unknown(name, offset);
    const variable = reference?.kind === "variable" ? reference.name : name.replace(/^\./, "");
    return (frame) => {
      frame.cost++;
      const value = adapt(frame.variables[variable]);
      if (value === undefined) throw failure(`no such attribute: ${variable}`, offset);
      return value;
    };
  }

  #local(name: string): Node | undefined {
    const place = this.#scope.get(name);
    if (!place) return undefined;
    const { slot, lazy: value } = place;
    if (value) return lazy(slot, value);
    return (frame) => {
      frame.cost++;
      return frame.locals[slot];
    };
  }

  #unknown(name: string, offset: number): Node {
    return () => {
      throw failure(`undeclared reference to '${name}'`, offset);
    };
  }

  #select(expr: Select): Node {
    if (expr.test) return testField(this.node(expr.operand), expr.field, expr.offset);
    const maybe = this.#maybe(expr);
    if (maybe) return wrapped(maybe);
    const { operand, steps } = this.#fields(expr);
    return selectFields(this.node(operand), steps);
  }

  /** What fields are read of, and which: `object`, and `spec` and `containers`. */
  #fields(expr: Expr): { operand: Expr; steps: Step[] } {
    const steps: Step[] = [];
    let operand = expr;
    while (operand.kind === "select" && !operand.test && !this.checked.references.has(operand)) {
      const { field, optional, offset } = operand;
      ({ operand } = operand);
      steps.push({ field, optional, offset, cost: stepCost(operand) });
    }
    return { operand, steps: steps.toReversed() };
  }

  /** Of what is optional in any case, a node that gives its value itself and undefined where there is none. */
  #maybe(expr: Expr): Node | undefined {
    if (expr.kind === "call" && expr.name === "_[?_]") {
      const [operand, key] = expr.args;
      if (!operand || !key) return undefined;
      const of = this.#maybe(operand) ?? unwrapped(this.node(operand));
      return optionalIndex(of, this.node(key), stepCost(operand), expr.offset);
    }
    if (expr.kind !== "select") return undefined;
    const { operand, steps } = this.#fields(expr);
    const maybe = steps.length > 0 ? this.#maybe(operand) : undefined;
    if (maybe) return selectOptionals(maybe, steps);
    const first = steps.findIndex(({ optional }) => optional);
    if (first < 0) return undefined;
    return selectOptionals(unwrapped(selectFields(this.node(operand), steps.slice(0, first))), steps.slice(first));
  }

  #call(expr: Call): Node {
    const { references } = this.checked;
    const reference = references.get(expr);
    const withTarget = reference?.kind === "function" ? reference.withTarget : expr.target !== undefined;
    const maybe = this.#maybe(expr);
    if (maybe) return wrapped(maybe);
    const ofOptional = expr.target && withTarget ? this.#ofOptional(expr, expr.target) : undefined;
    if (ofOptional) return ofOptional;
    const args = expr.target && withTarget ? [expr.target, ...expr.args] : expr.args;
    const nodes = args.map((arg) => this.node(arg));
    const operator = withTarget ? undefined : compileOperator(expr, nodes);
    if (operator) return operator;
    const { name, offset } = expr;
    if (reference?.kind !== "function") {
      return () => {
        throw failure(`undeclared reference to the function '${name}'`, offset);
      };
    }
    const types = args.map((arg) => this.checked.typeOf(arg));
    if (conversions.has(name) && args.length > 0 && args.every((arg) => arg.kind === "literal")) {
      return constantConversion(expr, reference.overloads, nodes);
    }
    checkPattern(expr, args);
    return compileOverloads(expr, reference.overloads, nodes, types);
  }

  /** The calls of an optional that need not make one. */
  #ofOptional({ name, args: [other, ...rest], offset }: Call, target: Expr): Node | undefined {
    if (name === "hasValue" && !other) return hasValue(this.#valueOf(target, name, offset));
    if (!other || rest.length > 0) return undefined;
    if (name === "orValue") return orValue(this.#valueOf(target, name, offset), this.node(other));
    return name === "or" ? or(this.#valueOf(target, name, offset), this.node(other), offset) : undefined;
  }

  /** The value of what has to be an optional; undefined where it has none. */
  #valueOf(expr: Expr, name: string, offset: number): Node {
    return this.#maybe(expr) ?? demanded(this.node(expr), name, offset);
  }

  #list(expr: List): Node {
    const { elements, optional } = expr;
    const nodes = elements.map((element) => this.node(element));
    if (isConstant(expr)) return once((frame) => nodes.map((node) => node(frame)));
    const cost = elements.every(isConstant) ? 0 : 10;
    if (optional.size === 0) {
      return (frame) => {
        frame.cost += cost;
        return nodes.map((node) => node(frame));
      };
    }
    return (frame) => {
      frame.cost += cost;
      const list: Value[] = [];
      for (const [index, node] of nodes.entries()) {
        const value = node(frame);
        if (!optional.has(index)) list.push(value);
        else if (!(value instanceof Optional)) throw noOverload("?", [value], elements[index]?.offset);
        else if (value.value !== undefined) list.push(value.value);
      }
      return list;
    };
  }

  #map(expr: MapLiteral): Node {
    const { entries, offset } = expr;
    const nodes = entries.map(({ key, value, optional }) => [this.node(key), this.node(value), optional] as const);
    const cost = entries.every(({ key, value }) => isConstant(key) && isConstant(value)) ? 0 : 30;
    const make: Node = (frame) => {
      frame.cost += cost;
      const pairs: [Value, Value][] = [];
      for (const [key, value, optional] of nodes) {
        const made = value(frame);
        if (!optional) pairs.push([key(frame), made]);
        else if (!(made instanceof Optional)) throw noOverload("?", [made], offset);
        else if (made.value !== undefined) pairs.push([key(frame), made.value]);
      }
      return located(offset, () => CelMap.from(pairs));
    };
    return isConstant(expr) ? once(make) : make;
  }

  #message(expr: Message): Node {
    const reference = this.checked.references.get(expr);
    if (reference?.kind !== "message") return this.#unknown(expr.name, expr.offset);
    const { message } = reference;
    const fields = expr.fields.map((field) => [field, this.node(field.value)] as const);
    return (frame) => {
      frame.cost += 40;
      const values: Record<string, Value> = {};
      for (const [{ name, optional, offset }, node] of fields) {
        const value = node(frame);
        if (!optional) values[name] = value;
        else if (!(value instanceof Optional)) throw noOverload("?", [value], offset);
        else if (value.value !== undefined) values[name] = value.value;
      }
      return located(expr.offset, () => makeMessage(message, values));
    };
  }

  #bind(expr: Bind): Node {
    const { optional, offset } = expr;
    if (optional === undefined) {
      const value = this.node(expr.value);
      return this.#withPlaces([{ name: expr.name, lazy: value }], ([slot = 0]) => {
        const body = this.node(expr.body);
        return (frame) => {
          frame.locals[slot] = undefined;
          return body(frame);
        };
      });
    }
    const name = optional === "map" ? "optMap" : "optFlatMap";
    const maybe = this.#valueOf(expr.value, name, offset);
    return this.within([expr.name], ([slot = 0]) => {
      const body = this.node(expr.body);
      return (frame) => {
        const before = frame.cost;
        const given = maybe(frame);
        frame.cost++;
        if (given === undefined) return Optional.none;
        // The reference asks twice: whether there is a value, and for the value.
        frame.cost += frame.cost - before + (optional === "map" ? 1 : 0);
        frame.locals[slot] = given;
        const result = body(frame);
        if (optional === "map") return Optional.of(result);
        if (!(result instanceof Optional)) throw noOverload(name, [Optional.of(given), result], offset);
        return result;
      };
    });
  }

  #block({ values, body }: Block): Node {
    const bindAll = (index: number): Node => {
      const value = values[index];
      if (!value) return this.node(body);
      return this.#withPlaces([{ name: `@index${index}`, lazy: this.node(value) }], ([slot = 0]) => {
        const rest = bindAll(index + 1);
        return (frame) => {
          frame.locals[slot] = undefined;
          return rest(frame);
        };
      });
    };
    return bindAll(0);
  }
}

/** What is made of constants alone is the same each time. */
function once(make: Node): Node {
  let made: Value;
  return (frame) => (made ??= Object.freeze(make(frame)));
}

const conversions = new Set(["bool", "bytes", "double", "duration", "int", "string", "timestamp", "type", "uint"]);

/** A conversion of a literal is made once. Times that are none are found before it runs. */
function constantConversion(call: Call, overloads: readonly Overload[], nodes: readonly Node[]): Node {
  const convert = compileOverloads(call, overloads, nodes, []);
  try {
    const value = convert(new Frame({}, perCallLimit, 0));
    return () => value;
  } catch (error) {
    if (!(error instanceof CelError) || (call.name !== "duration" && call.name !== "timestamp")) return convert;
    throw new CelError("type", `invalid ${call.name} argument: ${error.message}`, error.offset);
  }
}

/** A pattern that is written out is read before it runs. */
function checkPattern({ name }: Call, [, pattern]: readonly Expr[]): void {
  if (name !== "matches" || pattern?.kind !== "literal" || typeof pattern.value !== "string") return;
  try {
    regex(pattern.value);
  } catch (error) {
    throw new CelError("type", `invalid ${name} argument: ${(error as Error).message}`, pattern.offset);
  }
}

function located<T>(offset: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof CelError) error.offset ??= offset;
    throw error;
  }
}
