/** Quantities of resources: `100m`, `1.5Gi`, `1e3` (apimachinery, pkg/api/resource). */
import { define, type Overload } from "../environment.ts";
import { failure } from "../errors.ts";
import { traversal } from "../libraries/standard.ts";
import { parseType, type Type } from "../types.ts";
import { CelValue, Double, toInt, type Int } from "../values.ts";

const type = parseType("kubernetes.Quantity");
const nano = 10n ** 9n;
const maxBinary = 2n ** 63n - 1n;

/** What the reference keeps in 64 bits: value × 10^scale. Only such a quantity is an integer to it. */
interface Amount {
  readonly value: bigint;
  readonly scale: number;
}

/** In billionths, which is as fine as one gets. */
class Quantity extends CelValue {
  readonly nanos: bigint;
  readonly amount: Amount | undefined;
  constructor(nanos: bigint, amount?: Amount) {
    super();
    this.nanos = nanos;
    this.amount = amount;
  }
  get type(): Type {
    return type;
  }
  equals(other: CelValue): boolean {
    return other instanceof Quantity && other.nanos === this.nanos;
  }
}

const powersOfTen: Readonly<Record<string, number>> = {
  ...{ n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 },
};
const powersOfTwo: Readonly<Record<string, bigint>> = {
  ...{ Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n },
};

/** Undefined for what is none. Rounded up to billionths, away from zero. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:([nukMGTPE]?|m|[KMGTPE]i)|[eE]([+-]?\d+))$/.exec(text);
  if (!match || text.length > 100) return undefined;
  const [, sign, whole = "", fraction = "", suffix = "", exponent] = match;
  // The reference takes no digits for a zero: `-`, `Ki`.
  if (text === "") return undefined;
  const power = exponent === undefined ? (powersOfTen[suffix] ?? 0) : Number(exponent);
  if (Math.abs(power) > 100) return undefined;
  const shift = powersOfTwo[suffix];
  let value = BigInt(whole + fraction) << (shift ?? 0n);
  const scale = power - fraction.length + 9;
  if (scale >= 0) value *= 10n ** BigInt(scale);
  else value = divideUp(value, 10n ** BigInt(-scale));
  if (shift !== undefined && value > maxBinary * nano) value = maxBinary * nano;
  const negative = sign === "-";
  const amount = smallAmount(whole.replace(/^0+/, "") || "0", fraction, power, shift);
  if (!negative) return new Quantity(value, amount);
  return new Quantity(-value, amount && { ...amount, value: -amount.value });
}

/** Undefined where the reference turns to numbers of any size. */
function smallAmount(whole: string, fraction: string, power: number, shift: bigint | undefined): Amount | undefined {
  const binary = shift !== undefined;
  if (binary && fraction !== "") return undefined;
  const room = binary
    ? 15 - whole.length - Math.floor((Number(shift) * 3) / 10) - 1
    : 18 - whole.length - fraction.length;
  const scale = (binary ? 0 : power) - fraction.length;
  if (room < 0 || scale < -9) return undefined;
  return fitted(BigInt(whole + fraction) << (shift ?? 0n), scale);
}

function fitted(value: bigint, scale: number): Amount | undefined {
  return BigInt.asIntN(64, value) === value ? { value, scale } : undefined;
}

function addAmounts(a: Amount | undefined, b: Amount | undefined): Amount | undefined {
  if (!a || !b) return undefined;
  if (b.value === 0n) return a;
  if (a.value === 0n) return b;
  const scale = Math.min(a.scale, b.scale);
  return fitted(a.value * 10n ** BigInt(a.scale - scale) + b.value * 10n ** BigInt(b.scale - scale), scale);
}

function add(a: Quantity, b: Quantity): Quantity {
  return new Quantity(a.nanos + b.nanos, addAmounts(a.amount, b.amount));
}

function subtract(a: Quantity, b: Quantity): Quantity {
  return add(a, new Quantity(-b.nanos, b.amount && { ...b.amount, value: -b.amount.value }));
}

function ofInt(value: Int): Quantity {
  return new Quantity(BigInt(value) * nano, { value: BigInt(value), scale: 0 });
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

function quantity(text: string): Quantity {
  const value = parseQuantity(text);
  if (!value) throw failure(`${JSON.stringify(text.slice(0, 60))} is no quantity`);
  return value;
}

function isInteger({ nanos, amount }: Quantity): boolean {
  return amount !== undefined && amount.scale >= 0 && BigInt.asIntN(64, nanos / nano) === nanos / nano;
}

function asInteger(value: Quantity): Int {
  if (!isInteger(value)) throw failure("cannot convert value to integer");
  return toInt(value.nanos / nano);
}

function compareTo(a: Quantity, b: Quantity): number {
  return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
}

function asFloat({ nanos, amount }: Quantity): Double {
  return new Double(
    amount ? Number(amount.value) * Number(`1e${amount.scale}`) : Number(nanos / nano) + Number(nanos % nano) / 1e9,
  );
}

export const kubernetesQuantity: readonly Overload[] = [
  define("quantity(string): kubernetes.Quantity", quantity, traversal),
  define("isQuantity(string): bool", (text: string) => parseQuantity(text) !== undefined, traversal),
  define("sign(kubernetes.Quantity): int", ({ nanos }: Quantity) => (nanos < 0n ? -1 : nanos > 0n ? 1 : 0)),
  define("(kubernetes.Quantity).isInteger(): bool", isInteger),
  define("(kubernetes.Quantity).asInteger(): int", asInteger),
  define("(kubernetes.Quantity).asApproximateFloat(): double", asFloat),
  define("(kubernetes.Quantity).add(kubernetes.Quantity): kubernetes.Quantity", add),
  define("(kubernetes.Quantity).add(int): kubernetes.Quantity", (a: Quantity, b: Int) => add(a, ofInt(b))),
  define("(kubernetes.Quantity).sub(kubernetes.Quantity): kubernetes.Quantity", subtract),
  define("(kubernetes.Quantity).sub(int): kubernetes.Quantity", (a: Quantity, b: Int) => subtract(a, ofInt(b))),
  define(
    "(kubernetes.Quantity).isLessThan(kubernetes.Quantity): bool",
    (a: Quantity, b: Quantity) => a.nanos < b.nanos,
  ),
  define(
    "(kubernetes.Quantity).isGreaterThan(kubernetes.Quantity): bool",
    (a: Quantity, b: Quantity) => a.nanos > b.nanos,
  ),
  define("(kubernetes.Quantity).compareTo(kubernetes.Quantity): int", compareTo),
];
