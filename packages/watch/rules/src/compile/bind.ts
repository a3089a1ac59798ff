import type {
  Check,
  Expr,
  FieldUse,
  List,
  Operand,
  Operator,
  Place,
  Right,
  Transform,
  Value,
} from "../language/ast.ts";
import { ConditionError } from "../language/error.ts";
import { isListOperator } from "../language/parser.ts";
import { findField, similarFields, type Catalogue, type FieldType } from "../fields/catalogue.ts";
import { eventTypes } from "../fields/event-types.ts";
import { parseNetwork } from "./address.ts";
import {
  chain,
  negate,
  type Bound,
  type BoundField,
  type BoundOperand,
  type BoundTest,
  type BoundTransform,
  type Constant,
} from "./bound.ts";
import { pattern } from "./text.ts";

/** What names in a condition stand for. */
export interface Names {
  readonly fields: Catalogue;
  /** Macros with everything put in; filled as they are used. */
  readonly bound: Map<string, Bound>;
  /** The condition of a macro; raises a `ConditionError` where it has none or stands for itself. */
  macro(name: string, place: Place): Expr;
  /** The items of a list; undefined where there is no list of that name. */
  list(name: string, place: Place): readonly Value[] | undefined;
  /** Something about the condition that a person should know. */
  warn(message: string, place: Place, remedy: string, code: "LOAD_UNSAFE_NA_CHECK" | "LOAD_DEPRECATED_ITEM"): void;
}

/** Puts macros and lists in, finds fields, checks operators and values. Raises a `ConditionError`. */
export function bind(expr: Expr, names: Names): Bound {
  switch (expr.kind) {
    case "and":
    case "or": {
      const parts = expr.parts.map((part) => bind(part, names));
      const whole = chain(expr.kind, parts);
      if (whole.key.length <= maxKey) return whole;
      const remedy = "macros that use others twice grow at every level; use fewer";
      throw new ConditionError("the condition grows too large once its macros are put in", placeOf(expr), remedy);
    }
    case "not":
      return negate(bind(expr.part, names));
    case "macro": {
      const known = names.bound.get(expr.name);
      if (known) return known;
      const bound = bind(names.macro(expr.name, expr.place), names);
      names.bound.set(expr.name, bound);
      return bound;
    }
    case "check":
      return bindCheck(expr, names);
  }
}

/** Characters of a condition with everything written out; the largest of Falco's have 20,000. */
const maxKey = 1 << 19;

function placeOf(expr: Expr): Place {
  if (expr.kind === "not") return placeOf(expr.part);
  if (expr.kind === "check" || expr.kind === "macro") return expr.place;
  const [first] = expr.parts;
  if (!first) throw new Error("a chain without parts");
  return placeOf(first);
}

function bindCheck(check: Check, names: Names): Bound {
  const left = bindOperand(check.left, names);
  const operator = check.operator === "==" ? "=" : check.operator;
  allow(left, operator, check);
  deprecated(left, check, names);
  const right = bindRight(left, operator, check, names);
  const { modifier } = check;
  const shown = isConstants(right) ? `(${right.map(constantKey).join(",")})` : `val(${right.key})`;
  const key = `${left.key} ${operator} ${modifier ?? ""}${operator === "exists" ? "" : shown}`;
  return Object.freeze({ kind: "test", left, operator, right, modifier, key });
}

function isConstants(right: BoundTest["right"]): right is readonly Constant[] {
  return Array.isArray(right);
}

/** A field or transformer by itself. */
export function bindOperand(operand: Operand, names: Names): BoundOperand {
  return operand.kind === "field" ? bindField(operand, names) : bindTransform(operand, names);
}

function bindField({ name, argument, place }: FieldUse, { fields }: Names): BoundField {
  const found = findField(fields, name);
  if (!found) {
    const near = similarFields(fields, name);
    const remedy = near.length > 0 ? `is it ${near.join(" or ")}?` : "bulwark rules list --fields names them all";
    throw new ConditionError(`there is no field ${name}`, place, remedy, true);
  }
  const { field } = found;
  const given = argument ?? found.argument;
  if (field.argument === "required" && given === undefined) {
    throw new ConditionError(`${field.name} needs an argument`, place, `write ${field.name}[…]`);
  }
  if (field.argument === "none" && given !== undefined) {
    throw new ConditionError(`${field.name} takes no argument`, place, `write ${field.name}`);
  }
  if (field.anyWithoutArgument && given !== undefined && field.name !== "proc.aenv" && !/^\d{1,3}$/.test(given)) {
    throw new ConditionError(
      `${field.name}[${given}]: no number of an ancestor`,
      place,
      `1 is the parent: ${field.name}[1]`,
    );
  }
  if (field.name === "evt.type.is") knownType(given ?? "", place);
  return Object.freeze({
    kind: "field",
    field,
    argument: given,
    type: field.type,
    isList: field.isList,
    isAny: field.isAny || (field.anyWithoutArgument && given === undefined),
    isProcess: field.scope === "process",
    key: given === undefined ? field.name : `${field.name}[${given}]`,
  });
}

function bindTransform({ name, inputs, place }: Transform, names: Names): BoundTransform {
  const bound = inputs.map((input): BoundOperand | readonly string[] => {
    if (input.kind === "value") return Object.freeze([input.text]);
    if (input.kind === "list") return Object.freeze(expand(input, names).map(({ text }) => text));
    return bindOperand(input, names);
  });
  const wanted = { join: [2, 2], concat: [1, 16], getopt: [2, 2] }[name as string] ?? [1, 1];
  if (bound.length < (wanted[0] ?? 1) || bound.length > (wanted[1] ?? 1)) {
    const usage = { join: 'join(",", field)', concat: "concat(a, b)", getopt: 'getopt(field, "o:v")' }[name as string];
    throw new ConditionError(`${name}() with ${bound.length} inputs`, place, `write ${usage ?? `${name}(field)`}`);
  }
  const operands = bound.filter((input): input is BoundOperand => !Array.isArray(input));
  const first = operands[0];
  if (first && name !== "len" && first.type !== "text" && !(name === "b64" && first.type === "bytes")) {
    throw new ConditionError(
      `${name}() is for texts; ${first.key} is ${first.type}`,
      place,
      "leave the transformer out",
    );
  }
  const isList = name === "getopt" || (name !== "len" && name !== "join" && operands.some((input) => input.isList));
  const key = `${name}(${bound.map((input) => ("kind" in input ? input.key : JSON.stringify(input))).join(",")})`;
  return Object.freeze({
    kind: "transform",
    name,
    inputs: Object.freeze(bound),
    type: name === "len" ? "number" : "text",
    isList,
    isAny: operands.some((input) => input.isAny),
    isProcess: operands.every((input) => input.isProcess),
    key,
  });
}

const ordered: readonly Operator[] = ["<", "<=", ">", ">="];
const equality: readonly Operator[] = ["=", "!=", "in", "intersects", "exists"];
const texts: readonly Operator[] = [
  ...[...equality, ...ordered, "contains", "icontains", "startswith", "endswith"],
  ...["glob", "iglob", "regex", "pmatch"],
] as Operator[];
/** As `flt_is_comparable` of libsinsp's `filter_compare.cpp`. */
const allowed: Record<FieldType, readonly Operator[]> = {
  text: texts,
  number: [...equality, ...ordered],
  boolean: equality,
  ip: equality,
  net: equality,
  bytes: [...equality, "contains", "startswith", "endswith", "bcontains", "bstartswith"],
};

function allow(left: BoundOperand, operator: Operator, { place, modifier }: Check): void {
  const known = left.isList ? (["in", "intersects", "exists"] as const) : allowed[left.type];
  if (!known.includes(operator)) {
    const what = left.isList ? "a list" : `a ${left.type}`;
    throw new ConditionError(`${operator} is not for ${left.key}, which is ${what}`, place, `use ${known.join(", ")}`);
  }
  if (modifier && (left.isList || !modifiable.has(operator))) {
    throw new ConditionError(
      `${modifier} does not go with ${operator}`,
      place,
      `use it with ${[...modifiable].join(", ")}`,
    );
  }
}

const modifiable = new Set<Operator>([
  ...[
    "=",
    "!=",
    "contains",
    "icontains",
    "bcontains",
    "startswith",
    "bstartswith",
    "endswith",
    "glob",
    "iglob",
    "regex",
  ],
] as Operator[]);

const lostFields = new Set(["evt.latency", "evt.latency.s", "evt.latency.ns", "evt.latency.human", "evt.wait_latency"]);

function deprecated(left: BoundOperand, { place }: Check, names: Names): void {
  if (left.key === "evt.dir") {
    const remedy = "leave evt.dir out: < holds of every event, > of none";
    names.warn("evt.dir says nothing any more", place, remedy, "LOAD_DEPRECATED_ITEM");
  } else if (lostFields.has(left.key)) {
    const remedy = "leave it out: the field has no value any more";
    names.warn(`${left.key} has no value any more`, place, remedy, "LOAD_DEPRECATED_ITEM");
  }
}

function bindRight(
  left: BoundOperand,
  operator: BoundTest["operator"],
  { right, modifier, place }: Check,
  names: Names,
): BoundTest["right"] {
  if (right === undefined) return Object.freeze([]);
  if (right.kind === "field" || right.kind === "transform") {
    const operand = bindOperand(right, names);
    const isSame = operand.type === left.type || (isAddress(operand.type) && isAddress(left.type));
    if (!isSame) {
      const message = `${left.key} is ${left.type}, ${operand.key} is ${operand.type}`;
      throw new ConditionError(message, right.place, "compare fields of one type");
    }
    if (operator === "regex" || operator === "glob" || operator === "iglob" || operator === "pmatch") {
      throw new ConditionError(`${operator} takes no field on the right`, right.place, "the pattern is a constant");
    }
    return operand;
  }
  const values = valuesOf(right, operator, modifier !== undefined, names);
  if (values.length === 0 && !isListOperator(operator) && modifier === undefined) {
    throw new ConditionError("an empty list where one value is expected", place, "use in for lists");
  }
  return Object.freeze(values.map((value) => constant(left, operator, value, names)));
}

function isAddress(type: FieldType): boolean {
  return type === "ip" || type === "net";
}

/** The values on the right. A bare word that names a list stands for its items, in a list and alone. */
function valuesOf(right: Right, operator: Operator, isModified: boolean, names: Names): readonly Value[] {
  if (right.kind === "list") return expand(right, names);
  if (right.kind !== "value") return [];
  const items = right.quoted ? undefined : names.list(right.text, right.place);
  if (!items) return [right];
  if (items.length === 1 || isModified) return items;
  const remedy = `write in (${right.text}), or ${operator} anyof (${right.text})`;
  throw new ConditionError(
    `${right.text} is a list of ${items.length}, ${operator} takes one value`,
    right.place,
    remedy,
  );
}

function expand({ items }: List, names: Names): readonly Value[] {
  return items.flatMap((item) => (item.quoted ? [item] : (names.list(item.text, item.place) ?? [item])));
}

function constant(left: BoundOperand, operator: Operator, value: Value, names: Names): Constant {
  const { text, place } = value;
  switch (left.type) {
    case "text":
      return textConstant(left, operator, value, names);
    case "number":
      return numberConstant(left, text, place);
    case "boolean":
      if (text === "true" || text === "false") return text === "true";
      throw new ConditionError(`${text} is neither true nor false`, place, `write ${left.key} = true`);
    case "ip":
    case "net": {
      const network = parseNetwork(text);
      if (network) return network;
      throw new ConditionError(`${text} is no address and no network`, place, "write 10.1.2.3 or 10.0.0.0/8");
    }
    case "bytes":
      return bytesConstant(operator, text, place);
  }
}

function textConstant(left: BoundOperand, operator: Operator, { text, place }: Value, names: Names): string {
  if (left.kind === "field" && (left.field.name === "evt.type" || left.field.name === "syscall.type")) {
    if (operator === "=" || operator === "!=" || operator === "in" || operator === "intersects") knownType(text, place);
  }
  // Texts of Kubernetes audit events alone: elsewhere it is the way to ask for a process that is known.
  if (text === "<NA>" && /^(?:ka|jevt)\./.test(left.key)) {
    const message = "comparing with <NA> does not find fields without a value";
    names.warn(message, place, `write ${left.key} exists`, "LOAD_UNSAFE_NA_CHECK");
  }
  if (operator === "regex" || operator === "glob" || operator === "iglob") {
    try {
      pattern(operator, text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConditionError(`${text}: ${reason}`, place, "see RE2's syntax; there are no look-arounds", false);
    }
  }
  return text;
}

/** Kubernetes audit events and plugins have types of their own; of system calls all are known. */
function knownType(text: string, place: Place): void {
  if (eventTypes.has(text)) return;
  throw new ConditionError(`there is no event type ${text}`, place, "write the name of a system call: openat", true);
}

function numberConstant(left: BoundOperand, text: string, place: Place): number {
  const value = /^[+-]?0[xX]/.test(text) || /^[+-]?[\d.]/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new ConditionError(`${text} is no number`, place, `${left.key} is compared with numbers: ${left.key} = 0`);
}

function bytesConstant(operator: Operator, text: string, place: Place): Uint8Array {
  if (operator !== "bcontains" && operator !== "bstartswith") return new TextEncoder().encode(text);
  if (/^(?:[0-9a-fA-F]{2})+$/.test(text)) return new Uint8Array(Buffer.from(text, "hex"));
  throw new ConditionError(`${text} is not hexadecimal`, place, "write pairs of digits: cafe01");
}

function constantKey(value: Constant): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object" && "family" in value) return `${value.base}/${value.bits}v${value.family}`;
  return String(value);
}
