/** cel-go's list extensions, version 3. `sortBy` is a macro. */
import { define, type Cost, type Overload } from "../environment.ts";
import { failure } from "../errors.ts";
import { adapt, compare, equals, Extent, isInt, isList, sizeOf, typeOf, type Int, type Value } from "../values.ts";

const maxRange = 1_000_000;
/** A call that makes a list (cel-go, ext/lists.go). */
const allocation = (size: number): number => 11 + Math.floor(size);
const outputSize: Cost = (result) => allocation(sizeOf(result));
const inputSize: Cost = (_, list, depth) => allocation(sizeOf(list) * (isInt(depth) ? Number(depth) : 1));
const comparisons: Cost = (_, list) =>
  list instanceof Extent ? allocation(list.size ** 2 * 2.1) : comparisonCost(list as readonly Value[]);

/** Of every element with every other. */
export function comparisonCost(list: readonly Value[]): number {
  const text = typeof list[0] === "string" || list[0] instanceof Uint8Array;
  return allocation(list.length ** 2 * (text ? 2.1 : 2));
}

/** Types that `min`, `max`, `sort` and their like take. */
export const comparable = ["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"];

/** The list in the order of the keys, which are of one ordered type; equal ones stay as they were. */
export function sortByKeys(list: readonly Value[], keys: readonly Value[]): Value[] {
  const [first] = keys;
  if (keys.some((key) => typeOf(key).name !== typeOf(first).name)) {
    throw failure("the keys of a sort must be of one type");
  }
  if (first !== undefined && compare(first, first) === undefined) {
    throw failure(`a ${typeOf(first).name} has no order`);
  }
  const order = keys.map((_, index) => index);
  order.sort((a, b) => compare(keys[a], keys[b]) ?? 0);
  return order.map((index) => list[index]);
}

function sort(list: readonly Value[]): Value[] {
  const values = list.map(adapt);
  return sortByKeys(values, values);
}

function slice(list: readonly Value[], from: Int, to: Int): readonly Value[] {
  const [start, end] = [Number(from), Number(to)];
  if (start < 0 || end < 0) throw failure(`cannot slice(${start}, ${end}), negative indexes not supported`);
  if (start > end) throw failure(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`);
  if (list.length < end) throw failure(`cannot slice(${start}, ${end}), list is length ${list.length}`);
  return list.slice(start, end);
}

function flatten(list: readonly Value[], depth: Int = 1): readonly Value[] {
  if (depth < 0) throw failure("level must be non-negative");
  return depth === 0 ? list : list.flatMap((item) => (isList(item) ? flatten(item, Number(depth) - 1) : [item]));
}

function distinct(list: readonly Value[]): Value[] {
  const kept: Value[] = [];
  for (const item of list) if (!kept.some((other) => equals(adapt(item), adapt(other)))) kept.push(item);
  return kept;
}

function range(count: Int): number[] {
  if (count > maxRange) throw failure(`a range of more than ${maxRange}`);
  return Array.from({ length: Math.max(0, Number(count)) }, (_, index) => index);
}

export const lists: readonly Overload[] = [
  define("(list<T>).slice(int, int): list<T>", slice, outputSize),
  define("(list<list<T>>).flatten(): list<T>", (list: readonly Value[]) => flatten(list), inputSize),
  define("(list<dyn>).flatten(int): list<dyn>", flatten, inputSize),
  define("(list<T>).distinct(): list<T>", distinct, comparisons),
  define("(list<T>).reverse(): list<T>", (list: readonly Value[]) => list.toReversed(), outputSize),
  ...comparable.map((type) => define(`(list<${type}>).sort(): list<${type}>`, sort, comparisons)),
  define("lists.range(int): list<int>", range, outputSize),
];
