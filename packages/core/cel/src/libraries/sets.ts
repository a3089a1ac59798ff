/** cel-go's set extensions: lists as sets. */
import { define, type Cost, type Overload } from "../environment.ts";
import { adapt, equals, sizeOf, type Value } from "../values.ts";

/** Every element against every other. */
const product: Cost = (_, a, b) => 1 + sizeOf(a) * sizeOf(b);
const products: Cost = (_, a, b) => 1 + sizeOf(a) * sizeOf(b) * 2;

function has(list: readonly Value[], value: Value): boolean {
  return list.some((item) => equals(adapt(item), adapt(value)));
}

function contains(list: readonly Value[], part: readonly Value[]): boolean {
  return part.every((value) => has(list, value));
}

export const sets: readonly Overload[] = [
  define("sets.contains(list<T>, list<T>): bool", contains, product),
  define(
    "sets.equivalent(list<T>, list<T>): bool",
    (a: readonly Value[], b: readonly Value[]) => contains(a, b) && contains(b, a),
    products,
  ),
  define(
    "sets.intersects(list<T>, list<T>): bool",
    (a: readonly Value[], b: readonly Value[]) => a.some((value) => has(b, value)),
    product,
  ),
];
