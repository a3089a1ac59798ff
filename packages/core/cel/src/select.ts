/** Fields and items: `object.spec.containers`, `pod.?metadata.?labels`, `has(pod.spec)`, `labels[?'app']`. */
import { failure, type CelError } from "./errors.ts";
import { noOverload, type Node } from "./frame.ts";
import { wrap } from "./optional.ts";
import {
  adapt,
  Double,
  isInt,
  isList,
  isMap,
  isRecord,
  lookUp,
  MessageValue,
  Optional,
  own,
  typeOf,
  Uint,
  type Mapped,
  type Value,
} from "./values.ts";

/** A field that is read of what stands before it. */
export interface Step {
  readonly field: string;
  /** `.?field`: costs nothing where it is not there. */
  readonly optional: boolean;
  readonly cost: number;
  readonly offset: number;
}

/** Fields one after the other, none of them optional. Of an optional value it is one again. */
export function selectFields(operand: Node, steps: readonly Step[]): Node {
  return (frame) => {
    let value = operand(frame);
    for (const { field, cost, offset } of steps) {
      frame.cost += cost;
      const found = isRecord(value) ? own(value, field) : selected(value, field, offset);
      if (found === undefined) throw notThere(value, field, offset);
      value = found;
    }
    return value;
  };
}

function selected(value: Value, field: string, offset: number): Value {
  return value instanceof Optional ? wrap(selectMaybe(value.value, field, offset)) : readField(value, field);
}

/** Fields of what is optional: the value at the end, undefined where there is none. */
export function selectOptionals(maybe: Node, steps: readonly Step[]): Node {
  return (frame) => {
    let value = maybe(frame);
    for (const { field, optional, cost, offset } of steps) {
      if (!optional) frame.cost += cost;
      value = selectMaybe(value, field, offset);
      if (optional && value !== undefined) frame.cost += cost;
    }
    return value;
  };
}

function selectMaybe(value: Value, field: string, offset: number): Value {
  if (value === undefined) return undefined;
  const found = readField(value, field);
  if (found === undefined && !hasFields(value)) throw notThere(value, field, offset);
  return found instanceof Optional ? found.value : found;
}

/** `has(operand.field)`. */
export function testField(operand: Node, field: string, offset: number): Node {
  return (frame) => {
    const value = operand(frame);
    if (value instanceof Optional) return value.value !== undefined && readField(value.value, field) !== undefined;
    const found = readField(value, field);
    if (found === undefined && !hasFields(value)) throw notThere(value, field, offset);
    return found !== undefined;
  };
}

/** `operand[key]`. */
export function index(operand: Node, key: Node, cost: number, offset: number): Node {
  return (frame) => {
    const value = operand(frame);
    const at = key(frame);
    frame.cost += cost;
    const found = value instanceof Optional ? wrap(itemMaybe(value.value, at, offset)) : itemAt(value, at, offset);
    if (found !== undefined) return found;
    if (isList(value)) throw failure(`index out of bounds: ${String(position(at) ?? at)}`, offset);
    throw failure(`no such key: ${keyText(at)}`, offset);
  };
}

/** `operand[?key]`; what is undefined has none. */
export function optionalIndex(maybe: Node, key: Node, cost: number, offset: number): Node {
  return (frame) => {
    const value = maybe(frame);
    const found = itemMaybe(value, key(frame), offset);
    if (found !== undefined) frame.cost += cost;
    return found;
  };
}

function itemMaybe(value: Value, at: Value, offset: number): Value {
  return value === undefined ? undefined : itemAt(value, at, offset);
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

/** A field of a map or a message; undefined where it is not there or the value has no fields. */
function readField(value: Value, field: string): Value {
  if (isRecord(value)) return own(value, field);
  if (value instanceof MessageValue) return value.get(field);
  return isMap(value) ? lookUp(value, field) : undefined;
}

function hasFields(value: Value): value is Mapped | MessageValue {
  return isMap(value) || value instanceof MessageValue;
}

function notThere(value: Value, field: string, offset: number): CelError {
  if (hasFields(value)) return failure(`no such key: ${field}`, offset);
  return failure(`no such field '${field}': a ${typeOf(value).name} has none`, offset);
}
