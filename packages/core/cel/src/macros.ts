import type { Call, Comprehension, ComprehensionKind, Expr } from "./ast.ts";
import { CelError } from "./errors.ts";

/** What a call stands for where it is a macro; undefined where it is a call of a function. */
export function expandMacro(call: Call): Expr | undefined {
  return call.target === undefined ? expandGlobal(call) : expandMember(call, call.target);
}

function expandGlobal({ name, args, offset }: Call): Expr | undefined {
  if (name !== "has" || args.length !== 1) return undefined;
  const [select] = args;
  if (select?.kind !== "select") throw new CelError("syntax", "has() takes a selection of a field: has(a.b)", offset);
  return { ...select, test: true };
}

function expandMember(call: Call, target: Expr): Expr | undefined {
  const namespace = target.kind === "ident" ? `${target.name}.${call.name}` : "";
  return (
    namespaced[namespace]?.(call) ??
    comprehension(call, target) ??
    (call.name === "optMap" || call.name === "optFlatMap" ? optionalMap(call, target) : undefined)
  );
}

interface Shape {
  variables: 1 | 2;
  /** Arguments after the variables: a body, or a filter and a body. */
  filter: boolean;
  macro: ComprehensionKind;
}

/** By name and number of arguments. */
const shapes: Readonly<Record<string, Shape>> = {
  "all/2": { macro: "all", variables: 1, filter: false },
  "exists/2": { macro: "exists", variables: 1, filter: false },
  "exists_one/2": { macro: "existsOne", variables: 1, filter: false },
  "existsOne/2": { macro: "existsOne", variables: 1, filter: false },
  "filter/2": { macro: "filter", variables: 1, filter: false },
  "map/2": { macro: "map", variables: 1, filter: false },
  "map/3": { macro: "map", variables: 1, filter: true },
  "sortBy/2": { macro: "sortBy", variables: 1, filter: false },
  "all/3": { macro: "all", variables: 2, filter: false },
  "exists/3": { macro: "exists", variables: 2, filter: false },
  "exists_one/3": { macro: "existsOne", variables: 2, filter: false },
  "existsOne/3": { macro: "existsOne", variables: 2, filter: false },
  "transformList/3": { macro: "transformList", variables: 2, filter: false },
  "transformList/4": { macro: "transformList", variables: 2, filter: true },
  "transformMap/3": { macro: "transformMap", variables: 2, filter: false },
  "transformMap/4": { macro: "transformMap", variables: 2, filter: true },
  "transformMapEntry/3": { macro: "transformMapEntry", variables: 2, filter: false },
  "transformMapEntry/4": { macro: "transformMapEntry", variables: 2, filter: true },
};

function comprehension({ name, args, offset }: Call, range: Expr): Comprehension | undefined {
  const key = `${name}/${args.length}`;
  const shape = Object.hasOwn(shapes, key) ? shapes[key] : undefined;
  if (!shape) return undefined;
  const variables = args.slice(0, shape.variables).map((arg) => variableName(arg));
  if (new Set(variables).size < variables.length) {
    throw new CelError("syntax", "the two variables have the same name", args[1]?.offset ?? offset);
  }
  const [first, second] = args.slice(shape.variables) as [Expr, Expr?];
  return {
    kind: "comprehension",
    macro: shape.macro,
    range,
    variables,
    ...(shape.filter && second ? { filter: first, body: second } : { body: first }),
    offset,
  };
}

function variableName(arg: Expr): string {
  if (arg.kind === "local") return arg.name;
  if (arg.kind !== "ident" || arg.name.startsWith(".")) {
    throw new CelError("syntax", "a variable of a macro is a simple name", arg.offset);
  }
  return arg.name;
}

function optionalMap({ name, args, offset }: Call, target: Expr): Expr | undefined {
  const [variable, body] = args;
  if (!variable || !body || args.length !== 2) return undefined;
  const optional = name === "optMap" ? "map" : "flatMap";
  return { kind: "bind", name: variableName(variable), value: target, body, optional, offset };
}

const namespaced: Readonly<Record<string, (call: Call) => Expr | undefined>> = {
  "cel.bind"({ args: [variable, value, body], offset }) {
    if (!variable || !value || !body) return undefined;
    return { kind: "bind", name: variableName(variable), value, body, offset };
  },
  "cel.block"({ args: [values, body], offset }) {
    if (values?.kind !== "list" || !body) throw new CelError("syntax", "cel.block takes a list and a body", offset);
    return { kind: "block", values: values.elements, body, offset };
  },
  "cel.index": (call) => ({ kind: "local", name: `@index${numbers(call)}`, offset: call.offset }),
  "cel.iterVar": (call) => ({ kind: "local", name: `@it:${numbers(call)}`, offset: call.offset }),
  "cel.accuVar": (call) => ({ kind: "local", name: `@ac:${numbers(call)}`, offset: call.offset }),
  "math.greatest": (call) => variadic(call, "math.@max"),
  "math.least": (call) => variadic(call, "math.@min"),
};

function numbers({ args, offset }: Call): string {
  const values = args.map((arg) => (arg.kind === "literal" ? Number(arg.value) : Number.NaN));
  if (values.length === 0 || !values.every((value) => value >= 0)) {
    throw new CelError("syntax", "takes whole numbers that are written out", offset);
  }
  return values.join(":");
}

/** One or two arguments as they are, more as a list. */
function variadic({ args, offset }: Call, name: string): Expr {
  const [first] = args;
  if (!first) throw new CelError("syntax", "takes at least one number", offset);
  const bad = args.find((arg) => !mayBeNumber(arg) && !(args.length === 1 && arg.kind === "list"));
  if (bad) throw new CelError("syntax", "takes numbers, or one list of numbers", bad.offset);
  const list: Expr = { kind: "list", elements: args, optional: new Set(), offset };
  return { kind: "call", name, args: args.length > 2 ? [list] : args, offset };
}

function mayBeNumber(arg: Expr): boolean {
  if (arg.kind === "literal") return !["string", "boolean"].includes(typeof arg.value) && arg.value !== null;
  return !["list", "map", "message"].includes(arg.kind);
}
