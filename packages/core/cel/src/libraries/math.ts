/** cel-go's math extensions, version 2. `math.greatest` and `math.least` are macros for `math.@max` and `math.@min`. */
import { define, type Overload } from "../environment.ts";
import { failure } from "../errors.ts";
import { adapt, checkedInt, compareNumbers, Double, isNumber, toInt, Uint, type Int, type Value } from "../values.ts";

const types = ["int", "uint", "double"];

function extreme(sign: 1 | -1) {
  return (a: Value, b: Value = a): Value => {
    const values = Array.isArray(a) ? a.map((item) => adapt(item)) : [a, b];
    if (values.length === 0) throw failure("the list is empty");
    const wrong = values.find((value) => !isNumber(value));
    if (wrong !== undefined) throw failure("no such overload: what is no number has no place in an order");
    return values.reduce((best, value) => (compareNumbers(value, best) * sign > 0 ? value : best));
  };
}

function extremes(name: string, sign: 1 | -1): Overload[] {
  const run = extreme(sign);
  const mixed = types.flatMap((a) => types.map((b) => define(`${name}(${a}, ${b}): ${a === b ? a : "dyn"}`, run)));
  const single = types.flatMap((a) => [define(`${name}(${a}): ${a}`, run), define(`${name}(list<${a}>): ${a}`, run)]);
  return [...single, ...mixed];
}

const rounded = (run: (value: number) => number) => (value: Double) => new Double(run(value.value));

function round(value: number): number {
  // Halves away from zero.
  return Math.sign(value) * Math.round(Math.abs(value));
}

function sign(value: Int | Double | Uint): Value {
  if (value instanceof Uint) return new Uint(value.value === 0n ? 0n : 1n);
  if (value instanceof Double) return new Double(Math.sign(value.value));
  return value > 0 ? 1 : value < 0 ? -1 : 0;
}

function absolute(value: Int): Int {
  return typeof value === "number" ? Math.abs(value) : checkedInt(value < 0n ? -value : value);
}

const bits = (value: Int): bigint => BigInt(value);

function bitwise(name: string, run: (a: bigint, b: bigint) => bigint): Overload[] {
  return [
    define(`math.${name}(int, int): int`, (a: Int, b: Int) => toInt(BigInt.asIntN(64, run(bits(a), bits(b))))),
    define(`math.${name}(uint, uint): uint`, (a: Uint, b: Uint) => new Uint(BigInt.asUintN(64, run(a.value, b.value)))),
  ];
}

/** The right shift of a negative number fills with zeroes. */
function shift(name: string, run: (value: bigint, by: bigint) => bigint): Overload[] {
  const by = (count: Int): bigint => {
    if (count < 0) throw failure(`math.${name}() by a negative number`);
    return count > 63 ? 64n : BigInt(count);
  };
  return [
    define(`math.${name}(int, int): int`, (value: Int, count: Int) =>
      toInt(BigInt.asIntN(64, run(BigInt.asUintN(64, bits(value)), by(count)))),
    ),
    define(
      `math.${name}(uint, int): uint`,
      (value: Uint, count: Int) => new Uint(BigInt.asUintN(64, run(value.value, by(count)))),
    ),
  ];
}

export const math: readonly Overload[] = [
  ...extremes("math.@max", 1),
  ...extremes("math.@min", -1),
  define("math.ceil(double): double", rounded(Math.ceil)),
  define("math.floor(double): double", rounded(Math.floor)),
  define("math.round(double): double", rounded(round)),
  define("math.trunc(double): double", rounded(Math.trunc)),
  define("math.abs(int): int", absolute),
  define("math.abs(uint): uint", (value: Uint) => value),
  define("math.abs(double): double", rounded(Math.abs)),
  ...types.map((type) => define(`math.sign(${type}): ${type}`, sign)),
  define("math.isNaN(double): bool", (value: Double) => Number.isNaN(value.value)),
  define("math.isInf(double): bool", ({ value }: Double) => !Number.isNaN(value) && !Number.isFinite(value)),
  define("math.isFinite(double): bool", (value: Double) => Number.isFinite(value.value)),
  define("math.sqrt(int): double", (value: Int) => new Double(Math.sqrt(Number(value)))),
  define("math.sqrt(uint): double", (value: Uint) => new Double(Math.sqrt(Number(value.value)))),
  define("math.sqrt(double): double", rounded(Math.sqrt)),
  ...bitwise("bitAnd", (a, b) => a & b),
  ...bitwise("bitOr", (a, b) => a | b),
  ...bitwise("bitXor", (a, b) => a ^ b),
  define("math.bitNot(int): int", (value: Int) => toInt(~bits(value))),
  define("math.bitNot(uint): uint", (value: Uint) => new Uint(BigInt.asUintN(64, ~value.value))),
  ...shift("bitShiftLeft", (value, by) => value << by),
  ...shift("bitShiftRight", (value, by) => value >> by),
];
