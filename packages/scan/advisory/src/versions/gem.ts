import { compareDigits } from "./digits.ts";
import { compareText } from "./text.ts";

/**
 * RubyGems' order: `Gem::Version#<=>`. Runs of digits and runs of letters; a letter makes a pre-release, and so does a
 * hyphen (`-` is `.pre.`). Zeros at the end of the numbers, and at the end of the whole, do not count. Other characters
 * only separate.
 */
export function compareGem(a: string, b: string): number {
  const x = segments(a);
  const y = segments(b);
  for (let at = 0; at < x.length || at < y.length; at++) {
    const [s = "0", t = "0"] = [x[at], y[at]];
    const [first, second] = [isNumber(s), isNumber(t)];
    if (first !== second) return first ? 1 : -1;
    const order = first ? compareDigits(s, t) : compareText(s, t);
    if (order !== 0) return order;
  }
  return 0;
}

function segments(version: string): string[] {
  const all = version.replaceAll("-", ".pre.").match(/\d+|[a-z]+/gi) ?? [];
  const letters = all.findIndex((part) => !isNumber(part));
  if (letters < 0) return withoutZeros(all);
  return [...withoutZeros(all.slice(0, letters)), ...withoutZeros(all.slice(letters))];
}

function withoutZeros(parts: string[]): string[] {
  let end = parts.length;
  while (end > 0 && /^0+$/.test(parts[end - 1] ?? "")) end--;
  return parts.slice(0, end);
}

function isNumber(part: string): boolean {
  return /^\d/.test(part);
}
