/**
 * Values at run time. Data from JSON is used as it is: strings, booleans, null, arrays, plain objects, numbers. An `int`
 * is a number where that is exact and a bigint beyond; what JavaScript has no kind for is a `CelValue`.
 */
import { failure } from "./errors.ts";
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  nullType,
  objectType,
  optionalType,
  stringType,
  timestampType,
  typeType,
  uintType,
  type Type,
} from "./types.ts";

export type Value = unknown;
export type Int = bigint | number;
export type Mapped = CelMap | Readonly<Record<string, unknown>>;

/** A value of a kind that JavaScript does not have. Libraries add their own. */
export abstract class CelValue {
  abstract readonly type: Type;
  abstract equals(other: CelValue): boolean;
  /** What costs are counted by. */
  get size(): number {
    return 1;
  }
}

/** A value of which only the size is known: estimates are made with it. */
export class Extent extends CelValue {
  readonly #size: number;
  constructor(size: number) {
    super();
    this.#size = size;
  }
  get type(): Type {
    return dynType;
  }
  equals(other: CelValue): boolean {
    return other === this;
  }
  override get size(): number {
    return this.#size;
  }
}

export class Double extends CelValue {
  readonly value: number;
  constructor(value: number) {
    super();
    this.value = value;
  }
  get type(): Type {
    return doubleType;
  }
  equals(other: CelValue): boolean {
    return compareNumbers(this, other) === 0;
  }
}

export class Uint extends CelValue {
  readonly value: bigint;
  constructor(value: bigint) {
    super();
    this.value = value;
  }
  get type(): Type {
    return uintType;
  }
  equals(other: CelValue): boolean {
    return compareNumbers(this, other) === 0;
  }
}

const minDuration = -(2n ** 63n);
const maxDuration = 2n ** 63n - 1n;

/** Of nanoseconds, as far as 64 bits go: 292 years. */
export class Duration extends CelValue {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    super();
    if (nanos < minDuration || nanos > maxDuration) throw failure("duration out of range");
    this.nanos = nanos;
  }
  get type(): Type {
    return durationType;
  }
  equals(other: CelValue): boolean {
    return other instanceof Duration && other.nanos === this.nanos;
  }
}

const second = 1_000_000_000n;
const minTimestamp = -62_135_596_800n * second;
const maxTimestamp = 253_402_300_799n * second + 999_999_999n;

/** Nanoseconds since 1970, in the years 1 to 9999. */
export class Timestamp extends CelValue {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    super();
    if (nanos < minTimestamp || nanos > maxTimestamp) throw failure("timestamp out of range");
    this.nanos = nanos;
  }
  get type(): Type {
    return timestampType;
  }
  equals(other: CelValue): boolean {
    return other instanceof Timestamp && other.nanos === this.nanos;
  }
}

/** What `type(x)` gives. */
export class TypeValue extends CelValue {
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
  get type(): Type {
    return typeType();
  }
  equals(other: CelValue): boolean {
    return other instanceof TypeValue && other.name === this.name;
  }
}

const anyOptional = optionalType(dynType);

export class Optional extends CelValue {
  static readonly none = new Optional(undefined);
  /** Undefined where there is none. */
  readonly value: Value;
  private constructor(value: Value) {
    super();
    this.value = value;
  }
  static of(value: Value): Optional {
    return new Optional(value);
  }
  get type(): Type {
    return anyOptional;
  }
  equals(other: CelValue): boolean {
    if (!(other instanceof Optional)) return false;
    if (this.value === undefined || other.value === undefined) return this.value === other.value;
    return equals(this.value, other.value);
  }
}

/** A message literal, such as `Object.spec{replicas: 3}`. Fields that were not given are not there. */
export class MessageValue extends CelValue {
  readonly name: string;
  readonly fields: Readonly<Record<string, Value>>;
  constructor(name: string, fields: Readonly<Record<string, Value>>) {
    super();
    this.name = name;
    this.fields = fields;
  }
  get type(): Type {
    return objectType(this.name);
  }
  /** Undefined where there is no such field. */
  get(field: string): Value {
    return own(this.fields, field);
  }
  equals(other: CelValue): boolean {
    return other instanceof MessageValue && other.name === this.name && equals(this.fields, other.fields);
  }
}

/** A map whose keys are not all strings, or that an expression made. */
export class CelMap extends CelValue {
  /** By the key's normal form: equal numbers of different types are one key. */
  readonly entries: ReadonlyMap<bigint | boolean | number | string, readonly [key: Value, value: Value]>;
  constructor(entries: CelMap["entries"]) {
    super();
    this.entries = entries;
  }
  static from(pairs: Iterable<readonly [key: Value, value: Value]>): CelMap {
    const entries = new Map<bigint | boolean | number | string, readonly [Value, Value]>();
    for (const pair of pairs) {
      const key = keyOf(pair[0]);
      if (key === undefined) throw failure(`a ${typeOf(pair[0]).name} cannot be the key of a map`);
      if (entries.has(key)) throw failure(`the key ${String(key)} is in the map twice`);
      entries.set(key, pair);
    }
    return new CelMap(entries);
  }
  get type(): Type {
    return mapType(dynType, dynType);
  }
  equals(other: CelValue): boolean {
    return other instanceof CelMap && equalMaps(this, other);
  }
}

/** The form in which keys are compared; undefined for what cannot be a key, and doubles that are no whole number. */
function keyOf(key: Value): bigint | boolean | number | string | undefined {
  if (typeof key === "string" || typeof key === "boolean" || typeof key === "bigint") return key;
  if (typeof key === "number") return key;
  if (key instanceof Uint) return toInt(key.value);
  if (key instanceof Double && Number.isInteger(key.value)) return toInt(BigInt(key.value));
  return undefined;
}

/** Numbers as they come from JSON: what is not whole is a double. */
export function adapt(value: Value): Value {
  return typeof value !== "number" || Number.isSafeInteger(value) ? value : adaptNumber(value);
}

function adaptNumber(value: number): Value {
  if (!Number.isInteger(value) || Math.abs(value) >= 2 ** 63) return new Double(value);
  return toInt(BigInt(value));
}

/** An `int` in its one form. */
export function toInt(value: bigint): Int {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** An `int` of a result that may have left 64 bits. */
export function checkedInt(value: bigint): Int {
  if (BigInt.asIntN(64, value) !== value) throw failure("integer overflow");
  return toInt(value);
}

export function checkedUint(value: bigint): Uint {
  if (BigInt.asUintN(64, value) !== value) throw failure("unsigned integer overflow");
  return new Uint(value);
}

export function isInt(value: Value): value is Int {
  return typeof value === "number" || typeof value === "bigint";
}

/** An object as JSON has it. Told by what it is not: to ask for its prototype takes longer than to read a field. */
export function isRecord(value: Value): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return !(value instanceof CelValue) && !ArrayBuffer.isView(value);
}

export function isMap(value: Value): value is Mapped {
  return value instanceof CelMap || isRecord(value);
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/**
 * A field of a record that is there. What every object has from JavaScript, such as `constructor`, is no field: all of
 * that are functions, which data has none of, and the prototype itself.
 */
export function own(record: Readonly<Record<string, unknown>>, field: string): Value {
  const value = record[field];
  return typeof value === "function" || value === Object.prototype ? undefined : adapt(value);
}

/** The value at a key; undefined where there is none. */
export function lookUp(map: Mapped, key: Value): Value {
  if (map instanceof CelMap) {
    const normal = keyOf(key);
    return normal === undefined ? undefined : map.entries.get(normal)?.[1];
  }
  return typeof key === "string" ? own(map, key) : undefined;
}

export function mapSize(map: Mapped): number {
  return map instanceof CelMap ? map.entries.size : Object.keys(map).length;
}

export function* mapEntries(map: Mapped): Generator<readonly [key: Value, value: Value]> {
  if (map instanceof CelMap) yield* map.entries.values();
  else for (const key of Object.keys(map)) yield [key, adapt(map[key])];
}

export function mapKeys(map: Mapped): Value[] {
  return map instanceof CelMap ? [...map.entries.values()].map(([key]) => key) : Object.keys(map);
}

export function typeOf(value: Value): Type {
  switch (typeof value) {
    case "string":
      return stringType;
    case "boolean":
      return boolType;
    case "number":
      return Number.isInteger(value) ? intType : doubleType;
    case "bigint":
      return intType;
    default:
      if (value === null) return nullType;
      if (value instanceof CelValue) return value.type;
      if (Array.isArray(value)) return listType(dynType);
      if (value instanceof Uint8Array) return bytesType;
      return mapType(stringType, dynType);
  }
}

/** Values of different types are not equal, but for numbers; NaN is equal to nothing. */
export function equals(a: Value, b: Value): boolean {
  if (typeof a === "object" && a !== null)
    return typeof b === "object" && b !== null ? equalObjects(a, b) : mixed(a, b);
  if (typeof b === "object" && b !== null) return mixed(b, a);
  return a === b;
}

/** An object and something that is none: only doubles and unsigned integers can be equal to that. */
function mixed(object: object, other: Value): boolean {
  return isInt(other) && (object instanceof Double || object instanceof Uint) && compareNumbers(object, other) === 0;
}

function equalObjects(a: object, b: object): boolean {
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let index = 0; index < a.length; index++) if (!equals(adapt(a[index]), adapt(b[index]))) return false;
    return true;
  }
  if (a instanceof CelMap || b instanceof CelMap) return isMap(a) && isMap(b) && equalMaps(a, b);
  if (a instanceof CelValue) return b instanceof CelValue && a.equals(b);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  return isRecord(a) && isRecord(b) && equalMaps(a, b);
}

function equalMaps(a: Mapped, b: Mapped): boolean {
  if (mapSize(a) !== mapSize(b)) return false;
  for (const [key, value] of mapEntries(a)) {
    const other = lookUp(b, key);
    if (other === undefined || !equals(value, other)) return false;
  }
  return true;
}

/** Below 0, 0 or above; NaN for what has no order. Across the three kinds of number too. */
export function compareNumbers(a: Value, b: Value): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const left = a instanceof Uint ? a.value : a instanceof Double ? a.value : a;
  const right = b instanceof Uint ? b.value : b instanceof Double ? b.value : b;
  if (!isInt(left) || !isInt(right)) return Number.NaN;
  // Against a double the others are rounded to one, as cel-go does (common/types/compare.go).
  if (a instanceof Double || b instanceof Double) return order(Number(left), Number(right));
  return order(left, right);
}

function order(a: Int, b: Int): number {
  return a < b ? -1 : a > b ? 1 : a == b ? 0 : Number.NaN;
}

/** The order of two values of one ordered type; undefined where there is no such order. */
export function compare(a: Value, b: Value): number | undefined {
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return sign(a.nanos - b.nanos);
  if (a instanceof Duration && b instanceof Duration) return sign(a.nanos - b.nanos);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return undefined;
}

export function isNumber(value: Value): boolean {
  return isInt(value) || value instanceof Double || value instanceof Uint;
}

function sign(value: bigint): number {
  return value < 0n ? -1 : value > 0n ? 1 : 0;
}

/** By code points, which is not the order of UTF-16 units above U+FFFF. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return isSurrogate(left) === isSurrogate(right) ? left - right : isSurrogate(left) ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** First halves of pairs. V8 knows of a string of Latin letters that it has none, without going through it. */
const pairs = /[\ud800-\udbff]/;

/** Code points of a string. */
function stringSize(text: string): number {
  let size = text.length;
  if (size > 16 && !pairs.test(text)) return size;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = text.charCodeAt(index + 1);
      if (next >= 0xdc00 && next <= 0xdfff) {
        size--;
        index++;
      }
    }
  }
  return size;
}

/** What costs are counted by: characters, bytes, elements, entries; 1 for all else (cel-go, interpreter/runtimecost.go). */
export function sizeOf(value: Value): number {
  if (typeof value === "string") return stringSize(value);
  if (typeof value !== "object" || value === null) return 1;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  if (value instanceof Optional) return value.value === undefined ? 1 : sizeOf(value.value);
  if (value instanceof CelMap) return value.entries.size;
  return value instanceof CelValue ? value.size : Object.keys(value).length;
}

/** JSON of a value, for messages and for mutations; bytes in base64, times as text. */
export function toJson(value: Value): unknown {
  if (value === null || typeof value !== "object") return typeof value === "bigint" ? Number(value) : value;
  if (Array.isArray(value)) return value.map((item) => toJson(item));
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Double) return value.value;
  if (value instanceof Uint) return Number(value.value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof Optional) return value.value === undefined ? null : toJson(value.value);
  if (value instanceof MessageValue) return toJson(value.fields);
  if (isMap(value)) {
    return Object.fromEntries([...mapEntries(value)].map(([key, item]) => [keyText(key), toJson(item)]));
  }
  return null;
}

function keyText(key: Value): string {
  return key instanceof Uint ? String(key.value) : String(key);
}

/** RFC 3339 in UTC with as many digits of the second as it has. */
export function formatTimestamp({ nanos }: Timestamp): string {
  const fraction = ((nanos % second) + second) % second;
  const text = new Date(Number((nanos - fraction) / 1_000_000n)).toISOString().replace(/\.\d+Z$/, "");
  return `${text.replace(/^[+-]0*(?=\d{4}-)/, "")}${digits(fraction)}Z`;
}

/** Seconds: `3600s`, `0.5s`. */
export function formatDuration({ nanos }: Duration): string {
  const whole = nanos < 0n ? -nanos : nanos;
  return `${nanos < 0n ? "-" : ""}${whole / second}${digits(whole % second)}s`;
}

function digits(fraction: bigint): string {
  return fraction === 0n ? "" : `.${String(fraction).padStart(9, "0").replace(/0+$/, "")}`;
}
