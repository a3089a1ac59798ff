/** Semantic versions 2.0.0 (kubernetes.semver). */
import { define, type Overload } from "../environment.ts";
import { failure } from "../errors.ts";
import { traversal } from "../libraries/standard.ts";
import { parseType, type Type } from "../types.ts";
import { CelValue, toInt } from "../values.ts";

const type = parseType("kubernetes.Semver");

class Semver extends CelValue {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly pre: readonly string[];
  constructor(numbers: readonly [bigint, bigint, bigint], pre: readonly string[]) {
    super();
    this.numbers = numbers;
    this.pre = pre;
  }
  get type(): Type {
    return type;
  }
  equals(other: CelValue): boolean {
    return other instanceof Semver && compareSemver(this, other) === 0;
  }
}

const whole = "(0|[1-9]\\d*)";
const form = new RegExp(
  `^${whole}\\.${whole}\\.${whole}(?:-((?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)(?:\\.(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*))*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);
const maxNumber = 2n ** 64n;

function parseSemver(text: string): Semver | undefined {
  const match = text.length > 256 ? null : form.exec(text);
  if (!match) return undefined;
  const [major = 0n, minor = 0n, patch = 0n] = match.slice(1, 4).map((part) => BigInt(part));
  if ([major, minor, patch].some((number) => number >= maxNumber)) return undefined;
  return new Semver([major, minor, patch], match[4]?.split(".") ?? []);
}

/** Without a leading `v` and leading zeros, with what is missing of `1` or `1.2`. */
function normalize(text: string): string | undefined {
  const parts = text.replace(/^v/, "").split(".");
  const [major = "", minor, ...rest] = parts;
  const three = [major, ...(minor === undefined ? [] : [minor]), ...(rest.length > 0 ? [rest.join(".")] : [])];
  const plain = three.map((part) => part.replace(/^0+(?=\d)/, "").replace(/^0+(?=\D)/, "0"));
  if (plain.length < 3 && /[+-]/.test(plain.at(-1) ?? "")) return undefined;
  while (plain.length < 3) plain.push("0");
  return plain.join(".");
}

function read(text: string, tolerant = false): Semver | undefined {
  const plain = tolerant ? normalize(text) : text;
  return plain === undefined ? undefined : parseSemver(plain);
}

function semver(text: string, tolerant = false): Semver {
  const version = read(text, tolerant);
  if (!version) throw failure(`${JSON.stringify(text.slice(0, 60))} is no semantic version`);
  return version;
}

function compareSemver(a: Semver, b: Semver): number {
  for (const index of [0, 1, 2] as const) {
    if (a.numbers[index] !== b.numbers[index]) return a.numbers[index] < b.numbers[index] ? -1 : 1;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (const [index, part] of a.pre.entries()) {
    const other = b.pre[index];
    if (other === undefined) return 1;
    const order = comparePart(part, other);
    if (order !== 0) return order;
  }
  return a.pre.length < b.pre.length ? -1 : 0;
}

/** Numbers come before words. */
function comparePart(a: string, b: string): number {
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left !== right) return left ? -1 : 1;
  if (left) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
  return a < b ? -1 : a > b ? 1 : 0;
}

const part = (index: 0 | 1 | 2) => (version: Semver) => toInt(version.numbers[index]);
const isSemver = (text: string, tolerant = false): boolean => read(text, tolerant) !== undefined;

export const kubernetesSemver: readonly Overload[] = [
  define("semver(string): kubernetes.Semver", (text: string) => semver(text), traversal),
  define("semver(string, bool): kubernetes.Semver", semver, traversal),
  define("isSemver(string): bool", (text: string) => isSemver(text), traversal),
  define("isSemver(string, bool): bool", isSemver, traversal),
  define("(kubernetes.Semver).major(): int", part(0)),
  define("(kubernetes.Semver).minor(): int", part(1)),
  define("(kubernetes.Semver).patch(): int", part(2)),
  define("(kubernetes.Semver).compareTo(kubernetes.Semver): int", compareSemver),
  define("(kubernetes.Semver).isLessThan(kubernetes.Semver): bool", (a: Semver, b: Semver) => compareSemver(a, b) < 0),
  define(
    "(kubernetes.Semver).isGreaterThan(kubernetes.Semver): bool",
    (a: Semver, b: Semver) => compareSemver(a, b) > 0,
  ),
];
