/** The functions of the language itself (cel-spec, List of Standard Definitions). */
import { define, type Cost, type Overload } from "../environment.ts";
import { failure } from "../errors.ts";
import { matches } from "../regex.ts";
import {
  checkedInt,
  checkedUint,
  compare,
  Double,
  Duration,
  equals,
  formatDuration,
  formatTimestamp,
  sizeOf,
  Timestamp,
  toInt,
  typeOf,
  TypeValue,
  Uint,
  type Int,
  type Value,
} from "../values.ts";
import { formatDouble } from "../number.ts";
import { parseDuration, parseTimestamp, timestampPart, type Part } from "../time.ts";

/** One tenth of what is gone through. */
const tenth = (size: number): number => Math.ceil(size * 0.1);
export const traversal: Cost = (_, value) => tenth(sizeOf(value));
const traversalOfBoth: Cost = (_, a, b) => tenth(sizeOf(a) + sizeOf(b));
const traversalOfSmaller: Cost = (_, a, b) => tenth(Math.min(sizeOf(a), sizeOf(b)));
const searchCost: Cost = (_, text, part) => tenth(sizeOf(text)) * tenth(sizeOf(part));
export const regexCost: Cost = (_, text, pattern) => tenth(1 + sizeOf(text)) * Math.ceil(sizeOf(pattern) * 0.25);

const big = (value: Int): bigint => (typeof value === "bigint" ? value : BigInt(value));

/** An operation on whole numbers that is exact while the result is. */
function exact(quick: (a: number, b: number) => number, slow: (a: bigint, b: bigint) => bigint) {
  return (a: Int, b: Int): Value => {
    if (typeof a === "number" && typeof b === "number") {
      const result = quick(a, b);
      // Adding zero: there is no -0 among integers.
      if (Number.isSafeInteger(result)) return result + 0;
    }
    return checkedInt(slow(big(a), big(b)));
  };
}

/** A list that nothing is added to stays the same. */
function joined(a: readonly Value[], b: readonly Value[]): readonly Value[] {
  if (a.length === 0) return b;
  return b.length === 0 ? a : [...a, ...b];
}

function nonZero(run: (a: Int, b: Int) => Value, what: string) {
  return (a: Int, b: Int): Value => {
    if (b === 0) throw failure(what === "_%_" ? "modulus by zero" : "division by zero");
    return run(a, b);
  };
}

function unsigned(run: (a: bigint, b: bigint) => bigint) {
  return (a: Uint, b: Uint): Value => checkedUint(run(a.value, b.value));
}

function unsignedNonZero(run: (a: bigint, b: bigint) => bigint, what: string) {
  return (a: Uint, b: Uint): Value => {
    if (b.value === 0n) throw failure(what);
    return new Uint(run(a.value, b.value));
  };
}

const floating = (run: (a: number, b: number) => number) => (a: Double, b: Double) => new Double(run(a.value, b.value));

const arithmetic: Overload[] = [
  define(
    "_+_(int, int): int",
    exact(
      (a, b) => a + b,
      (a, b) => a + b,
    ),
  ),
  define(
    "_+_(uint, uint): uint",
    unsigned((a, b) => a + b),
  ),
  define(
    "_+_(double, double): double",
    floating((a, b) => a + b),
  ),
  define("_+_(string, string): string", (a: string, b: string) => a + b, traversalOfBoth),
  define(
    "_+_(bytes, bytes): bytes",
    (a: Uint8Array, b: Uint8Array) => new Uint8Array(Buffer.concat([a, b])),
    traversalOfBoth,
  ),
  define("_+_(list<A>, list<A>): list<A>", joined),
  define("_+_(timestamp, duration): timestamp", (a: Timestamp, b: Duration) => new Timestamp(a.nanos + b.nanos)),
  define("_+_(duration, timestamp): timestamp", (a: Duration, b: Timestamp) => new Timestamp(a.nanos + b.nanos)),
  define("_+_(duration, duration): duration", (a: Duration, b: Duration) => new Duration(a.nanos + b.nanos)),
  define(
    "_-_(int, int): int",
    exact(
      (a, b) => a - b,
      (a, b) => a - b,
    ),
  ),
  define(
    "_-_(uint, uint): uint",
    unsigned((a, b) => a - b),
  ),
  define(
    "_-_(double, double): double",
    floating((a, b) => a - b),
  ),
  define("_-_(timestamp, timestamp): duration", (a: Timestamp, b: Timestamp) => new Duration(a.nanos - b.nanos)),
  define("_-_(timestamp, duration): timestamp", (a: Timestamp, b: Duration) => new Timestamp(a.nanos - b.nanos)),
  define("_-_(duration, duration): duration", (a: Duration, b: Duration) => new Duration(a.nanos - b.nanos)),
  define(
    "_*_(int, int): int",
    exact(
      (a, b) => a * b,
      (a, b) => a * b,
    ),
  ),
  define(
    "_*_(uint, uint): uint",
    unsigned((a, b) => a * b),
  ),
  define(
    "_*_(double, double): double",
    floating((a, b) => a * b),
  ),
  define(
    "_/_(int, int): int",
    nonZero(
      exact(
        (a, b) => (a - (a % b)) / b,
        (a, b) => a / b,
      ),
      "_/_",
    ),
  ),
  define(
    "_/_(uint, uint): uint",
    unsignedNonZero((a, b) => a / b, "division by zero"),
  ),
  define(
    "_/_(double, double): double",
    floating((a, b) => a / b),
  ),
  define(
    "_%_(int, int): int",
    nonZero(
      exact((a, b) => a % b, remainder),
      "_%_",
    ),
  ),
  define(
    "_%_(uint, uint): uint",
    unsignedNonZero((a, b) => a % b, "modulus by zero"),
  ),
  define("-_(int): int", (a: Int) => (typeof a === "number" ? -a + 0 : checkedInt(-a))),
  define("-_(double): double", (a: Double) => new Double(-a.value)),
  define("!_(bool): bool", (a: boolean) => !a),
];

/** The quotient has to be an `int` too (cel-go, common/types/int.go). */
function remainder(a: bigint, b: bigint): bigint {
  if (a === -(2n ** 63n) && b === -1n) throw failure("integer overflow");
  return a % b;
}

const ordered = ["bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"];
const numbers = ["int", "uint", "double"];

function comparison(name: string, holds: (order: number) => boolean): Overload[] {
  const run = (a: Value, b: Value): boolean => {
    const order = compare(a, b);
    // NaN has no order: nothing holds of it.
    return order !== undefined && !Number.isNaN(order) && holds(order);
  };
  const pairs = [
    ...ordered.map((type) => [type, type] as const),
    ...numbers.flatMap((a) => numbers.filter((b) => b !== a).map((b) => [a, b] as const)),
  ];
  return pairs.map(([a, b]) =>
    define(`${name}(${a}, ${b}): bool`, run, a === "string" || a === "bytes" ? traversalOfSmaller : undefined),
  );
}

const relations: Overload[] = [
  ...comparison("_<_", (order) => order < 0),
  ...comparison("_<=_", (order) => order <= 0),
  ...comparison("_>_", (order) => order > 0),
  ...comparison("_>=_", (order) => order >= 0),
  define("_==_(A, A): bool", (a: Value, b: Value) => equals(a, b)),
  define("_!=_(A, A): bool", (a: Value, b: Value) => !equals(a, b)),
  // Run by the compiler, here for the checker.
  define("@in(A, list<A>): bool", never),
  define("@in(A, map<A, B>): bool", never),
  define("_[_](list<A>, int): A", never),
  define("_[_](map<A, B>, A): B", never),
];

function never(): never {
  throw new Error("compiled as an operator");
}

const sizes: Overload[] = ["string", "bytes", "list<A>", "map<A, B>"].flatMap((type) => [
  define(`size(${type}): int`, (value: Value) => sizeOf(value)),
  define(`(${type}).size(): int`, (value: Value) => sizeOf(value)),
]);

const strings: Overload[] = [
  define("(string).contains(string): bool", (text: string, part: string) => text.includes(part), searchCost),
  define("(string).startsWith(string): bool", (text: string, part: string) => text.startsWith(part), traversal),
  define("(string).endsWith(string): bool", (text: string, part: string) => text.endsWith(part), traversal),
  define("(string).matches(string): bool", matches, regexCost),
  define("matches(string, string): bool", matches, regexCost),
];

const conversions: Overload[] = [
  define("bool(bool): bool", (value: boolean) => value),
  define("bool(string): bool", parseBool),
  define("bytes(bytes): bytes", (value: Uint8Array) => value),
  define("bytes(string): bytes", (value: string) => new Uint8Array(Buffer.from(value, "utf8")), traversal),
  define("double(double): double", (value: Double) => value),
  define("double(int): double", (value: Int) => new Double(Number(value))),
  define("double(uint): double", (value: Uint) => new Double(Number(value.value))),
  define("double(string): double", (value: string) => new Double(parseDouble(value))),
  define("duration(duration): duration", (value: Duration) => value),
  define("duration(int): duration", (value: Int) => new Duration(big(value))),
  define("duration(string): duration", (value: string) => parseDuration(value)),
  define("dyn(A): dyn", (value: Value) => value),
  define("int(int): int", (value: Int) => value),
  define("int(uint): int", (value: Uint) => checkedInt(value.value)),
  define("int(double): int", doubleToInt),
  define("int(string): int", (value: string) => checkedInt(parseWhole(value, /^[+-]?\d+$/))),
  define("int(timestamp): int", (value: Timestamp) => toInt(floorSeconds(value.nanos))),
  define("int(duration): int", (value: Duration) => toInt(value.nanos)),
  define("string(string): string", (value: string) => value),
  define("string(bool): string", (value: boolean) => String(value)),
  define("string(bytes): string", decodeUtf8, traversal),
  define("string(double): string", (value: Double) => formatDouble(value.value)),
  define("string(duration): string", formatDuration),
  define("string(int): string", (value: Int) => String(value)),
  define("string(timestamp): string", formatTimestamp),
  define("string(uint): string", (value: Uint) => String(value.value)),
  define("timestamp(timestamp): timestamp", (value: Timestamp) => value),
  define("timestamp(int): timestamp", (value: Int) => new Timestamp(big(value) * 1_000_000_000n)),
  define("timestamp(string): timestamp", (value: string) => parseTimestamp(value)),
  define("type(A): type<A>", (value: Value) => new TypeValue(typeOf(value).name)),
  define("uint(uint): uint", (value: Uint) => value),
  define("uint(int): uint", (value: Int) => checkedUint(big(value))),
  define("uint(double): uint", (value: Double) => checkedUint(whole(value.value))),
  define("uint(string): uint", (value: string) => checkedUint(parseWhole(value, /^\d+$/))),
];

function parseBool(text: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw failure(`${JSON.stringify(text)} is no bool`);
}

function parseDouble(text: string): number {
  const special = /^([+-]?)(?:inf|infinity)$/i.exec(text);
  if (special) return special[1] === "-" ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) throw failure(`${JSON.stringify(text)} is no double`);
  const value = Number(text);
  if (!Number.isFinite(value)) throw failure(`${text} is more than a double holds`);
  return value;
}

function parseWhole(text: string, form: RegExp): bigint {
  if (!form.test(text) || text.length > 40) throw failure(`${JSON.stringify(text.slice(0, 40))} is no whole number`);
  return BigInt(text.replace("+", ""));
}

function whole(value: number): bigint {
  if (!Number.isFinite(value)) throw failure("integer overflow");
  return BigInt(Math.trunc(value));
}

/** Neither bound is taken in: a double there may stand for what is beyond it. */
function doubleToInt({ value }: Double): Int {
  if (Math.abs(value) >= 2 ** 63) throw failure("integer overflow");
  return checkedInt(whole(value));
}

function floorSeconds(nanos: bigint): bigint {
  const second = 1_000_000_000n;
  return nanos >= 0n ? nanos / second : -((-nanos + second - 1n) / second);
}

function decodeUtf8(value: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    throw failure("bytes that are no UTF-8");
  }
}

const parts: Part[] = [
  ...(["FullYear", "Month", "Date", "DayOfMonth", "DayOfWeek", "DayOfYear"] as const),
  ...(["Hours", "Minutes", "Seconds", "Milliseconds"] as const),
];
const units: [Part, bigint][] = [
  ["Hours", 3_600_000_000_000n],
  ["Minutes", 60_000_000_000n],
  ["Seconds", 1_000_000_000n],
];

const times: Overload[] = [
  ...parts.flatMap((part) => [
    define(`(timestamp).get${part}(): int`, (time: Timestamp) => timestampPart(time, part)),
    define(`(timestamp).get${part}(string): int`, (time: Timestamp, zone: string) => timestampPart(time, part, zone)),
  ]),
  ...units.map(([part, unit]) => define(`(duration).get${part}(): int`, ({ nanos }: Duration) => toInt(nanos / unit))),
  define("(duration).getMilliseconds(): int", ({ nanos }: Duration) => toInt((nanos % 1_000_000_000n) / 1_000_000n)),
];

export const standard: readonly Overload[] = [
  ...arithmetic,
  ...relations,
  ...sizes,
  ...strings,
  ...conversions,
  ...times,
];
