import type { Bind, Block, Call, Expr, List, MapLiteral, Message, Select } from "./ast.ts";
import { check, type Checked } from "./checker.ts";
import { compileComprehension } from "./comprehension.ts";
import { isConstant, stepCost } from "./cost.ts";
import { makeMessage, type Environment, type Overload } from "./environment.ts";
import { CelError, failure } from "./errors.ts";
import { Frame, lazy, noOverload, type Node } from "./frame.ts";
import { compileOverloads } from "./dispatch.ts";
import { compileOperator } from "./operators.ts";
import { parse } from "./parser.ts";
import { regex } from "./regex.ts";
import type { Type } from "./types.ts";
import {
  adapt,
  CelMap,
  isMap,
  isRecord,
  lookUp,
  MessageValue,
  Optional,
  own,
  typeOf,
  type Mapped,
  type Value,
} from "./values.ts";

export interface Program {
  readonly expression: string;
  readonly type: Type;
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
  spent?: (cost: number) => void;
}

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
  return {
    expression,
    type: checked.type,
    evaluate(variables, { costLimit = perCallLimit, spent } = {}) {
      const frame = new Frame(variables, costLimit);
      try {
        const value = run(frame);
        frame.check();
        return value;
      } finally {
        spent?.(frame.cost);
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
  #scope: Scope = new Map();
  #slots = 0;

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
    const slots = places.map(() => this.#slots++);
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
    const { field, offset, test } = expr;
    const operand = this.node(expr.operand);
    const step = stepCost(expr.operand);
    if (test) {
      return (frame) => {
        const value = operand(frame);
        if (value instanceof Optional) return value.value !== undefined && readField(value.value, field) !== undefined;
        const found = readField(value, field);
        if (found === undefined && !hasFields(value)) throw notThere(value, field, offset);
        return found !== undefined;
      };
    }
    if (expr.optional) {
      return (frame) => {
        const value = operand(frame);
        const found = selectOptional(value, field, offset);
        // What is not there costs nothing.
        if (found.value !== undefined) frame.cost += step;
        return found;
      };
    }
    return (frame) => {
      const value = operand(frame);
      frame.cost += step;
      if (isRecord(value)) {
        const found = own(value, field);
        if (found !== undefined) return found;
      } else if (value instanceof Optional) return selectOptional(value, field, offset);
      const found = readField(value, field);
      if (found === undefined) throw notThere(value, field, offset);
      return found;
    };
  }

  #call(expr: Call): Node {
    const { references } = this.checked;
    const reference = references.get(expr);
    const withTarget = reference?.kind === "function" ? reference.withTarget : expr.target !== undefined;
    const args = expr.target && withTarget ? [expr.target, ...expr.args] : expr.args;
    const nodes = args.map((arg) => this.node(arg));
    const operator = compileOperator(expr, nodes, withTarget);
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

  #list({ elements, optional }: List): Node {
    const nodes = elements.map((element) => this.node(element));
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

  #map({ entries, offset }: MapLiteral): Node {
    const nodes = entries.map(({ key, value, optional }) => [this.node(key), this.node(value), optional] as const);
    const cost = entries.every(({ key, value }) => isConstant(key) && isConstant(value)) ? 0 : 30;
    return (frame) => {
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
    const value = this.node(expr.value);
    const { optional, offset } = expr;
    if (optional === undefined) {
      return this.#withPlaces([{ name: expr.name, lazy: value }], ([slot = 0]) => {
        const body = this.node(expr.body);
        return (frame) => {
          frame.locals[slot] = undefined;
          return body(frame);
        };
      });
    }
    return this.within([expr.name], ([slot = 0]) => {
      const body = this.node(expr.body);
      return (frame) => {
        const before = frame.cost;
        const given = value(frame);
        if (!(given instanceof Optional)) {
          throw noOverload(optional === "map" ? "optMap" : "optFlatMap", [given], offset);
        }
        frame.cost++;
        if (given.value === undefined) return given;
        // The reference asks twice: whether there is a value, and for the value.
        frame.cost += frame.cost - before + (optional === "map" ? 1 : 0);
        frame.locals[slot] = given.value;
        const result = body(frame);
        if (optional === "map") return Optional.of(result);
        if (!(result instanceof Optional)) throw noOverload("optFlatMap", [given, result], offset);
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

const conversions = new Set(["bool", "bytes", "double", "duration", "int", "string", "timestamp", "type", "uint"]);

/** A conversion of a literal is made once. Times that are none are found before it runs. */
function constantConversion(call: Call, overloads: readonly Overload[], nodes: readonly Node[]): Node {
  const convert = compileOverloads(call, overloads, nodes, []);
  try {
    const value = convert(new Frame({}, perCallLimit));
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

/** A field of a map or a message; undefined where it is not there or the value has no fields. */
function readField(value: Value, field: string): Value {
  if (isMap(value)) return lookUp(value, field);
  return value instanceof MessageValue ? value.get(field) : undefined;
}

function hasFields(value: Value): value is Mapped | MessageValue {
  return isMap(value) || value instanceof MessageValue;
}

function selectOptional(value: Value, field: string, offset: number): Optional {
  const inner = value instanceof Optional ? value.value : value;
  if (inner === undefined) return Optional.none;
  const found = readField(inner, field);
  if (found === undefined) {
    if (!hasFields(inner)) throw notThere(inner, field, offset);
    return Optional.none;
  }
  return found instanceof Optional ? found : Optional.of(found);
}

function notThere(value: Value, field: string, offset: number): CelError {
  if (hasFields(value)) return failure(`no such key: ${field}`, offset);
  return failure(`no such field '${field}': a ${typeOf(value).name} has none`, offset);
}

function located<T>(offset: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof CelError) error.offset ??= offset;
    throw error;
  }
}
