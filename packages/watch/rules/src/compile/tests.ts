import { isInside, parseAddress, type Address } from "./address.ts";
import { isOperand, type BoundTest, type Constant, type Network } from "./bound.ts";
import { pathTree, pattern, type TextTest } from "./text.ts";

/** A value of a field, as its type has it: text, number, boolean, address or bytes. */
export type Single = string | number | boolean | Address | Uint8Array;
type SingleTest = (value: never) => boolean;

/** Whether a test of constants holds of one value of its left side's type. */
export function constantTest(test: BoundTest, value: Single): boolean {
  return singleTest(test)(value);
}

/**
 * The test of one value that is there. `in` and `intersects` ask whether the value is in the list; what they mean of
 * several values is the caller's matter.
 */
export function singleTest({ left, operator, right, modifier }: BoundTest): (value: Single) => boolean {
  if (isOperand(right)) throw new Error(`${left.key} is compared with a field`);
  if (operator === "exists") return () => true;
  const test = ((): SingleTest => {
    switch (left.type) {
      case "text":
        return textTest(operator, right as readonly string[], modifier);
      case "number":
        return numberTest(operator, right as readonly number[], modifier);
      case "boolean":
        return modified(
          operator,
          right as readonly boolean[],
          modifier,
          (wanted: boolean) => (value: boolean) => value === wanted,
        );
      case "ip":
      case "net":
        return modified(
          operator,
          right as readonly Network[],
          modifier,
          (network: Network) => (value: Address) => isInside(value, network),
        );
      case "bytes":
        return bytesTest(operator, right as readonly Uint8Array[], modifier);
    }
  })();
  return test as (value: Single) => boolean;
}

type Operator = BoundTest["operator"];
type Modifier = BoundTest["modifier"];

function textTest(operator: Operator, wanted: readonly string[], modifier: Modifier): TextTest {
  if (operator === "in" || operator === "intersects" || (operator === "=" && modifier === "anyof")) {
    const [only] = wanted;
    if (wanted.length === 1) return (value) => value === only;
    const set = new Set(wanted);
    return (value) => set.has(value);
  }
  if (operator === "pmatch") return pathTree(wanted);
  return modified(operator, wanted, modifier, (text) => oneText(operator, text));
}

function oneText(operator: Operator, wanted: string): TextTest {
  switch (operator) {
    case "contains":
      return (value) => value.includes(wanted);
    case "icontains": {
      const lower = wanted.toLowerCase();
      return (value) => value.toLowerCase().includes(lower);
    }
    case "startswith":
      return (value) => value.startsWith(wanted);
    case "endswith":
      return (value) => value.endsWith(wanted);
    case "glob":
    case "iglob":
    case "regex": {
      let compiled: TextTest | undefined;
      return (value) => (compiled ??= pattern(operator, wanted))(value);
    }
    case "<":
      return (value) => value < wanted;
    case "<=":
      return (value) => value <= wanted;
    case ">":
      return (value) => value > wanted;
    case ">=":
      return (value) => value >= wanted;
    default:
      return (value) => value === wanted;
  }
}

function numberTest(operator: Operator, wanted: readonly number[], modifier: Modifier): (value: number) => boolean {
  const [first = 0] = wanted;
  switch (operator) {
    case "in":
    case "intersects": {
      const set = new Set(wanted);
      return (value) => set.has(value);
    }
    case "<":
      return (value) => value < first;
    case "<=":
      return (value) => value <= first;
    case ">":
      return (value) => value > first;
    case ">=":
      return (value) => value >= first;
    default:
      return modified(operator, wanted, modifier, (one) => (value: number) => value === one);
  }
}

function bytesTest(
  operator: Operator,
  wanted: readonly Uint8Array[],
  modifier: Modifier,
): (value: Uint8Array) => boolean {
  return modified(operator, wanted, modifier, (bytes) => {
    switch (operator) {
      case "contains":
      case "bcontains":
        return (value: Uint8Array) => view(value).includes(view(bytes));
      case "startswith":
      case "bstartswith":
        return (value) => view(value.subarray(0, bytes.length)).equals(bytes);
      case "endswith":
        return (value) =>
          value.length >= bytes.length && view(value.subarray(value.length - bytes.length)).equals(bytes);
      default:
        return (value) => view(value).equals(bytes);
    }
  });
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/**
 * One constant, or a list under a modifier: `anyof` holds when it holds of at least one, `allof` of all, `oneof` of exactly
 * one. `!=` is the opposite of `=` for each.
 */
function modified<Wanted extends Constant, Value>(
  operator: Operator,
  wanted: readonly Wanted[],
  modifier: Modifier,
  of: (wanted: Wanted) => (value: Value) => boolean,
): (value: Value) => boolean {
  const tests = wanted.map((item) => {
    const test = of(item);
    return operator === "!=" ? (value: Value): boolean => !test(value) : test;
  });
  const [only] = tests;
  if (modifier === undefined && only && tests.length === 1) return only;
  switch (modifier) {
    case "allof":
      return (value) => tests.length > 0 && tests.every((test) => test(value));
    case "oneof":
      return (value) => tests.filter((test) => test(value)).length === 1;
    default:
      return (value) => tests.some((test) => test(value));
  }
}

/** Whether two values of one type are what the operator says of them. */
export function pairTest(operator: Operator): (left: Single, right: Single) => boolean {
  switch (operator) {
    case "=":
    case "in":
    case "intersects":
      return same;
    case "!=":
      return (left, right) => !same(left, right);
    case "<":
      return (left, right) => left < right;
    case "<=":
      return (left, right) => left <= right;
    case ">":
      return (left, right) => left > right;
    case ">=":
      return (left, right) => left >= right;
    case "icontains":
      return (left, right) => textOf(left).toLowerCase().includes(textOf(right).toLowerCase());
    case "contains":
    case "bcontains":
      return (left, right) => textOf(left).includes(textOf(right));
    case "startswith":
    case "bstartswith":
      return (left, right) => textOf(left).startsWith(textOf(right));
    case "endswith":
      return (left, right) => textOf(left).endsWith(textOf(right));
    default:
      return () => false;
  }
}

function same(left: Single, right: Single): boolean {
  if (left instanceof Uint8Array) return right instanceof Uint8Array && view(left).equals(right);
  if (typeof left === "object") {
    return typeof right === "object" && "family" in right && left.family === right.family && left.value === right.value;
  }
  return left === right;
}

/** Bytes as one character each, so that parts of them can be looked for. */
function textOf(value: Single): string {
  if (value instanceof Uint8Array) return view(value).toString("latin1");
  return typeof value === "object" ? `${value.family}/${value.value}` : String(value);
}

/** What a field's answer is as its type has it; undefined for an absent one, and for one that is not of the type. */
export function typed(type: BoundTest["left"]["type"], value: unknown): Single | undefined {
  switch (type) {
    case "text":
      if (typeof value === "string") return value;
      return typeof value === "number" || typeof value === "boolean" || typeof value === "bigint"
        ? String(value)
        : undefined;
    case "number":
      if (typeof value === "number") return value;
      if (typeof value === "bigint") return Number(value);
      return typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : undefined;
    case "boolean":
      if (typeof value === "boolean") return value;
      return value === "true" || value === 1 ? true : value === "false" || value === 0 ? false : undefined;
    case "ip":
    case "net":
      return typeof value === "string" ? parseAddress(value) : undefined;
    case "bytes":
      if (value instanceof Uint8Array) return value;
      return typeof value === "string" ? Buffer.from(value) : undefined;
  }
}
