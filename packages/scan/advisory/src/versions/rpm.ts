import { compareDigits, isDigit, isLetter } from "./digits.ts";

/**
 * RPM's order: `[epoch:]version[-release]`, each part by rpmvercmp (rpmio/rpmvercmp.c of rpm, with `~` and `^`). An absent
 * epoch is 0, an absent release comes before any. Text before a colon that is no number is part of the version. Any
 * text has a place in the order; what is neither ASCII letter, digit, `~` nor `^` only separates.
 */
export function compareRpm(a: string, b: string): number {
  const x = split(a);
  const y = split(b);
  return compareDigits(x.epoch, y.epoch) || rpmvercmp(x.version, y.version) || compareReleases(x.release, y.release);
}

interface Parts {
  epoch: string;
  version: string;
  release: string | undefined;
}

function split(text: string): Parts {
  const epoch = /^(\d*):/.exec(text)?.[1];
  const rest = epoch === undefined ? text : text.slice(epoch.length + 1);
  const dash = rest.lastIndexOf("-");
  return {
    epoch: epoch ?? "",
    version: dash < 0 ? rest : rest.slice(0, dash),
    release: dash < 0 ? undefined : rest.slice(dash + 1),
  };
}

function compareReleases(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return rpmvercmp(a, b);
}

const tilde = 126;
const caret = 94;

function rpmvercmp(a: string, b: string): number {
  let i = 0;
  let j = 0;
  for (;;) {
    while (i < a.length && separates(a.charCodeAt(i))) i++;
    while (j < b.length && separates(b.charCodeAt(j))) j++;
    const s = i < a.length ? a.charCodeAt(i) : 0;
    const t = j < b.length ? b.charCodeAt(j) : 0;
    if (s === tilde || t === tilde) {
      if (s !== t) return s === tilde ? -1 : 1;
    } else if (s === caret || t === caret) {
      // A caret comes behind the end, and before everything else.
      if (s !== t) return s === caret ? (t === 0 ? 1 : -1) : s === 0 ? -1 : 1;
    } else {
      if (s === 0 || t === 0) return Number(s !== 0) - Number(t !== 0);
      const numeric = isDigit(s);
      if (numeric !== isDigit(t)) return numeric ? 1 : -1;
      const [from, to] = [i, j];
      const belongs = numeric ? isDigit : isLetter;
      while (belongs(a.charCodeAt(i))) i++;
      while (belongs(b.charCodeAt(j))) j++;
      const [one, two] = [a.slice(from, i), b.slice(to, j)];
      const order = numeric ? compareDigits(one, two) : one === two ? 0 : one < two ? -1 : 1;
      if (order !== 0) return order;
      continue;
    }
    i++;
    j++;
  }
}

function separates(code: number): boolean {
  return !isDigit(code) && !isLetter(code) && code !== tilde && code !== caret;
}
