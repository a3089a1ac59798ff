import { failure } from "../errors.ts";
import { plainDouble } from "../number.ts";
import {
  adapt,
  compareStrings,
  Double,
  Duration,
  formatDuration,
  formatTimestamp,
  isInt,
  isList,
  isMap,
  mapEntries,
  Timestamp,
  typeOf,
  TypeValue,
  Uint,
  type Value,
} from "../values.ts";

const maxPrecision = 1000;

/** `"%s has %d".format([…])` (cel-spec, doc/extensions/strings.md). */
export function formatString(text: string, args: readonly Value[]): string {
  let next = 0;
  const clause = /%(?:%|(?:\.(\d+))?([a-zA-Z])?)/g;
  return text.replaceAll(clause, (match, precision: string | undefined, verb: string | undefined) => {
    if (match === "%%") return "%";
    if (verb === undefined) throw failure("could not parse formatting clause: it does not end");
    const format = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
    if (!format) throw failure(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
    if (Number(precision ?? 0) > maxPrecision) throw failure(`a precision of more than ${maxPrecision}`);
    if (next >= args.length) throw failure(`index ${next} out of range`);
    return format(adapt(args[next++]), precision === undefined ? undefined : Number(precision));
  });
}

const verbs: Readonly<Record<string, (value: Value, precision?: number) => string>> = {
  s: (value) => asString(value),
  d(value) {
    const special = specialDouble(value);
    return special ?? String(wholeNumber(value, "decimal clause can only be used on integers"));
  },
  f: (value, precision) => asDouble(value, "fixed-point", (number) => toFixed(number, precision ?? 6)),
  e: (value, precision) => asDouble(value, "scientific", (number) => exponential(number, precision ?? 6)),
  b(value) {
    if (typeof value === "boolean") return value ? "1" : "0";
    return wholeNumber(value, "only integers and bools can be formatted as binary").toString(2);
  },
  o: (value) => wholeNumber(value, "octal clause can only be used on integers").toString(8),
  x: asHex,
  X: (value) => asHex(value).toUpperCase(),
};

function wrong(what: string, value: Value): Error {
  return failure(`error during formatting: ${what}, was given ${typeOf(value).name}`);
}

function wholeNumber(value: Value, what: string): bigint {
  if (isInt(value)) return BigInt(value);
  if (value instanceof Uint) return value.value;
  throw wrong(what, value);
}

function specialDouble(value: Value): string | undefined {
  if (!(value instanceof Double) || Number.isFinite(value.value)) return undefined;
  if (Number.isNaN(value.value)) return "NaN";
  return value.value > 0 ? "Infinity" : "-Infinity";
}

function asDouble(value: Value, clause: string, format: (number: number) => string): string {
  const special = specialDouble(value);
  if (special !== undefined) return special;
  if (isInt(value)) return format(Number(value));
  if (value instanceof Uint) return format(Number(value.value));
  if (value instanceof Double) return format(value.value);
  throw wrong(`${clause} clause can only be used on doubles`, value);
}

function asHex(value: Value): string {
  if (typeof value === "string") return Buffer.from(value, "utf8").toString("hex");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return wholeNumber(value, "only integers, byte buffers, and strings can be formatted as hex").toString(16);
}

function asString(value: Value): string {
  if (typeof value === "string") return value;
  if (value === null || typeof value === "boolean" || isInt(value)) return String(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Double) return specialDouble(value) ?? plainDouble(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof TypeValue) return value.name;
  if (isList(value)) return `[${value.map((item) => asString(adapt(item))).join(", ")}]`;
  if (isMap(value)) {
    const entries = [...mapEntries(value)].map(([key, item]) => [asString(key), asString(item)] as const);
    entries.sort(([a], [b]) => compareStrings(a, b));
    return `{${entries.map(([key, item]) => `${key}: ${item}`).join(", ")}}`;
  }
  const kinds = "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps";
  throw wrong(`string clause can only be used on ${kinds}`, value);
}

/** As Go rounds: the exact value of the double, halves to even. */
function toFixed(value: number, digits: number): string {
  const negative = value < 0 || Object.is(value, -0);
  const { numerator, power } = exactly(Math.abs(value));
  const scaled = numerator * 10n ** BigInt(digits);
  const text = String(power >= 0 ? scaled << BigInt(power) : halfEven(scaled, BigInt(-power))).padStart(
    digits + 1,
    "0",
  );
  const whole = text.slice(0, text.length - digits);
  return `${negative ? "-" : ""}${whole}${digits > 0 ? `.${text.slice(-digits)}` : ""}`;
}

/** numerator × 2^power. */
function exactly(value: number): { numerator: bigint; power: number } {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const exponent = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  if (exponent === 0) return { numerator: fraction, power: -1074 };
  return { numerator: fraction | 0x10000000000000n, power: exponent - 1075 };
}

function halfEven(value: bigint, shift: bigint): bigint {
  const quotient = value >> shift;
  const rest = value - (quotient << shift);
  const half = 1n << (shift - 1n);
  const up = rest > half || (rest === half && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

function exponential(value: number, digits: number): string {
  const [mantissa = "", power = "0"] = value.toExponential(Math.min(digits, 100)).split("e");
  const exponent = Number(power);
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
