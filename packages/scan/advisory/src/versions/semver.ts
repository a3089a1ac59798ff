import { compareDigits } from "./digits.ts";
import { compareText } from "./text.ts";

/**
 * Semantic Versioning 2.0.0, https://semver.org, with numbers of any size and a leading `v`. What does not follow the form
 * is taken as far as it does: missing numbers are 0, more than three count on, and what follows the numbers is the
 * pre-release, with or without its hyphen. Build metadata has no place in the order.
 */
export function compareSemver(a: string, b: string): number {
  const x = parseSemver(a);
  const y = parseSemver(b);
  return compareNumbers(x.numbers, y.numbers) || comparePrerelease(x.prerelease, y.prerelease);
}

export interface Semver {
  numbers: string[];
  /** Empty where there is none. */
  prerelease: string;
  build: string;
}

export function parseSemver(text: string): Semver {
  const version = text.trim().replace(/^v/i, "");
  const plus = version.indexOf("+");
  const front = plus < 0 ? version : version.slice(0, plus);
  const numbers = /^[\d.]*/.exec(front)?.[0] ?? "";
  return {
    numbers: numbers.split(".").filter((part) => part !== ""),
    prerelease: front.slice(numbers.length).replace(/^-/, ""),
    build: plus < 0 ? "" : version.slice(plus + 1),
  };
}

/** Number by number; missing ones are 0. */
export function compareNumbers(a: string[], b: string[]): number {
  for (let at = 0; at < a.length || at < b.length; at++) {
    const order = compareDigits(a[at] ?? "0", b[at] ?? "0");
    if (order !== 0) return order;
  }
  return 0;
}

/** Any pre-release comes before none (clause 11.3). */
export function comparePrerelease(a: string, b: string): number {
  if (a === b) return 0;
  if (a === "" || b === "") return a === "" ? 1 : -1;
  return compareIdentifiers(a, b);
}

/** Identifiers between points: numbers as numbers and before texts, texts in ASCII order, fewer before more (11.4). */
export function compareIdentifiers(a: string, b: string): number {
  const x = a.split(".");
  const y = b.split(".");
  for (let at = 0; at < x.length && at < y.length; at++) {
    const [s = "", t = ""] = [x[at], y[at]];
    const [first, second] = [/^\d+$/.test(s), /^\d+$/.test(t)];
    if (first !== second) return first ? -1 : 1;
    const order = first ? compareDigits(s, t) : compareText(s, t);
    if (order !== 0) return order;
  }
  return Math.sign(x.length - y.length);
}
