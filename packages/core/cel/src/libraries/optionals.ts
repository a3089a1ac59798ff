/** Optional values; `optMap`, `optFlatMap`, `.?` and `[?]` are of the language. */
import { define, type Overload } from "../environment.ts";
import { failure } from "../errors.ts";
import {
  CelMap,
  Double,
  Duration,
  isList,
  Optional,
  Timestamp,
  Uint,
  isMap,
  mapSize,
  MessageValue,
  type Value,
} from "../values.ts";

function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0 || value === "") return true;
  if (value instanceof Double) return value.value === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration || value instanceof Timestamp) return value.nanos === 0n;
  if (value instanceof Uint8Array || isList(value)) return value.length === 0;
  if (value instanceof MessageValue) return Object.keys(value.fields).length === 0;
  if (value instanceof Optional) return value.value === undefined;
  return value instanceof CelMap || isMap(value) ? mapSize(value) === 0 : false;
}

function valueOf({ value }: Optional): Value {
  if (value === undefined) throw failure("optional.none() dereference");
  return value;
}

function unwrap(list: readonly Value[]): Value[] {
  return list.flatMap((item) => {
    if (!(item instanceof Optional)) throw failure("no such overload: unwrap of what is no optional");
    return item.value === undefined ? [] : [item.value];
  });
}

function edge(list: readonly Value[], at: number): Optional {
  return list.length === 0 ? Optional.none : Optional.of(list.at(at));
}

export const optionals: readonly Overload[] = [
  define("optional.of(V): optional<V>", (value: Value) => Optional.of(value)),
  define("optional.ofNonZeroValue(V): optional<V>", (value: Value) =>
    isZero(value) ? Optional.none : Optional.of(value),
  ),
  define("optional.none(): optional<V>", () => Optional.none),
  define("optional.unwrap(list<optional<V>>): list<V>", unwrap),
  define("(list<optional<V>>).unwrapOpt(): list<V>", unwrap),
  define("(optional<V>).value(): V", valueOf),
  define("(optional<V>).hasValue(): bool", (optional: Optional) => optional.value !== undefined),
  define("(optional<V>).or(optional<V>): optional<V>", (a: Optional, b: Optional) => (a.value === undefined ? b : a)),
  define("(optional<V>).orValue(V): V", (a: Optional, b: Value) => (a.value === undefined ? b : a.value)),
  define("(list<V>).first(): optional<V>", (list: readonly Value[]) => edge(list, 0)),
  define("(list<V>).last(): optional<V>", (list: readonly Value[]) => edge(list, -1)),
  define("_[_](optional<list<V>>, int): optional<V>", compiled),
  define("_[_](optional<map<K, V>>, K): optional<V>", compiled),
  define("_[?_](list<V>, int): optional<V>", compiled),
  define("_[?_](map<K, V>, K): optional<V>", compiled),
  define("_[?_](optional<list<V>>, int): optional<V>", compiled),
  define("_[?_](optional<map<K, V>>, K): optional<V>", compiled),
];

/** Run by the compiler, here for the checker. */
function compiled(): never {
  throw new Error("compiled as an operator");
}
