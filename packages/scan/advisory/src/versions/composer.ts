import { compareDigits } from "./digits.ts";

/**
 * Composer's order: PHP's `version_compare` (ext/standard/versioning.c), which Composer compares normalised versions with,
 * without the leading `v`. `dev < alpha < beta < RC < a number < pl`, words by their beginning; any other word comes
 * before them. A further number makes a version greater: `1.0` before `1.0.0`.
 */
export function compareComposer(a: string, b: string): number {
  const x = parts(a);
  const y = parts(b);
  if (x.length === 0 || y.length === 0) return Math.sign(x.length - y.length);
  const shared = Math.min(x.length, y.length);
  for (let at = 0; at < shared; at++) {
    const [s = "", t = ""] = [x[at], y[at]];
    const order = isNumber(s) && isNumber(t) ? compareDigits(s, t) : Math.sign(weight(s) - weight(t));
    if (order !== 0) return order;
  }
  return x.length > shared ? compareRest(x.slice(shared)) : -compareRest(y.slice(shared)) + 0;
}

/** What one version has beyond the other, held against `#`, the mark of a number. */
function compareRest(rest: string[]): number {
  for (const part of rest) {
    if (isNumber(part)) return 1;
    const order = Math.sign(weight(part) - number);
    if (order !== 0) return order;
  }
  return 0;
}

/** Weights of words by their beginning, the first that fits. */
const words: [word: string, weight: number][] = [
  ["dev", 0],
  ["a", 1],
  ["b", 2],
  ["RC", 3],
  ["rc", 3],
  ["#", 4],
  ["p", 5],
];
const number = 4;

function weight(part: string): number {
  if (isNumber(part)) return number;
  return words.find(([word]) => part.startsWith(word))?.[1] ?? -1;
}

function isNumber(part: string): boolean {
  return /^\d/.test(part);
}

/** `php_canonicalize_version`: separators become points, and a point goes between digits and what are none. */
function parts(version: string): string[] {
  const text = version
    .trim()
    .replace(/^v(?=\d)/i, "")
    .replaceAll(/[^A-Za-z\d#]+/g, ".");
  if (text === "") return [];
  return text
    .replaceAll(/(\d)(?=[^\d.])/g, "$1.")
    .replaceAll(/([^\d.])(?=\d)/g, "$1.")
    .split(".");
}
