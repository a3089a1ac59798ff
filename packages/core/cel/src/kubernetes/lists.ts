/** `isSorted`, `sum`, `min`, `max`, `indexOf`, `lastIndexOf` of lists (kubernetes.lists). */
import { define, type Cost, type Overload } from "../environment.ts";
import { failure } from "../errors.ts";
import { comparable } from "../libraries/lists.ts";
import {
  adapt,
  checkedInt,
  checkedUint,
  compare,
  Double,
  Duration,
  equals,
  Extent,
  isInt,
  isList,
  isMap,
  mapEntries,
  sizeOf,
  Uint,
  type Value,
} from "../values.ts";

/** Once through it (apiserver, cel/library/cost.go). */
const through: Cost = (_, value) => traversed(value);

function traversed(value: Value): number {
  if (typeof value === "string" || value instanceof Uint8Array) return Math.floor(sizeOf(value) * 0.1);
  if (isList(value)) return value.reduce((sum: number, item) => sum + traversed(adapt(item)), 0);
  if (value instanceof Extent) return value.size;
  if (!isMap(value)) return 1;
  return [...mapEntries(value)].reduce((sum, [key, item]) => sum + traversed(key) + traversed(item), 0);
}

function order(a: Value, b: Value): number {
  const result = compare(a, b);
  if (result === undefined) throw failure("no such overload: the elements have no common order");
  return result;
}

function isSorted(list: readonly Value[]): boolean {
  return list.every((item, index) => index === 0 || order(adapt(list[index - 1]), adapt(item)) <= 0);
}

function extreme(name: string, sign: 1 | -1) {
  return (list: readonly Value[]): Value => {
    if (list.length === 0) throw failure(`${name} called on empty list`);
    return list.map(adapt).reduce((best, item) => (order(item, best) * sign > 0 ? item : best));
  };
}

function add(a: Value, b: Value): Value {
  if (isInt(a) && isInt(b)) return checkedInt(BigInt(a) + BigInt(b));
  if (a instanceof Double && b instanceof Double) return new Double(a.value + b.value);
  if (a instanceof Uint && b instanceof Uint) return checkedUint(a.value + b.value);
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.nanos + b.nanos);
  throw failure("no such overload: the elements cannot be added up");
}

const sums: [type: string, zero: Value][] = [
  ["int", 0],
  ["uint", new Uint(0n)],
  ["double", new Double(0)],
  ["duration", new Duration(0n)],
];

function sum(zero: Value) {
  return (list: readonly Value[]): Value => {
    const [first, ...rest] = list.map(adapt);
    return first === undefined ? zero : rest.reduce(add, add(first, sameKind(first)));
  };
}

/** The zero of the kind that the elements really have: a list from JSON says nothing of it. */
function sameKind(value: Value): Value {
  if (value instanceof Double) return new Double(0);
  if (value instanceof Uint) return new Uint(0n);
  return value instanceof Duration ? new Duration(0n) : 0;
}

export const kubernetesLists: readonly Overload[] = [
  ...comparable.flatMap((type) => [
    define(`(list<${type}>).isSorted(): bool`, isSorted, through),
    define(`(list<${type}>).min(): ${type}`, extreme("min", -1), through),
    define(`(list<${type}>).max(): ${type}`, extreme("max", 1), through),
  ]),
  ...sums.map(([type, zero]) => define(`(list<${type}>).sum(): ${type}`, sum(zero), through)),
  define(
    "(list<A>).indexOf(A): int",
    (list: readonly Value[], item: Value) => list.findIndex((other) => equals(adapt(other), item)),
    through,
  ),
  define(
    "(list<A>).lastIndexOf(A): int",
    (list: readonly Value[], item: Value) => list.findLastIndex((other) => equals(adapt(other), item)),
    through,
  ),
];
