import { compareDigits } from "./digits.ts";
import { compareText } from "./text.ts";

/**
 * Maven's order, as the POM reference specifies it (https://maven.apache.org/pom.html#version-order-specification) and OSV
 * evaluates it: tokens with the separator before them, a change between digits and letters being a hyphen. Where Maven 3.9
 * and later differ from that (`1.0.rc1` beside `1.0-rc2`), this stays with the specification. Any text is a version.
 */
export function compareMaven(a: string, b: string): number {
  const x = tokens(a.toLowerCase());
  const y = tokens(b.toLowerCase());
  for (let at = 0; at < x.length || at < y.length; at++) {
    const [s, t] = [x[at], y[at]];
    const order = s && t ? compareTokens(s, t) : s ? compareToNothing(s) : t ? -compareToNothing(t) : 0;
    if (order !== 0) return order;
  }
  return 0;
}

interface Token {
  separator: "." | "-";
  /** Digits, or a word. */
  text: string;
  numeric: boolean;
}

/** Split, aliases replaced, and without what says nothing: at the end, and before each hyphen. */
function tokens(version: string): Token[] {
  const found: Token[] = [];
  let separator: Token["separator"] = ".";
  for (const piece of version.split(/([.-])/)) {
    if (piece === "." || piece === "-") {
      separator = piece;
      continue;
    }
    const runs = piece.match(/\d+|\D+/g) ?? ["0"];
    for (const [at, run] of runs.entries()) {
      const token = toToken(at === 0 ? separator : "-", run, at + 1 < runs.length);
      if (token.separator === "-") trim(found);
      found.push(token);
    }
  }
  trim(found);
  return found;
}

/** A single letter stands for its word only where a digit follows at once. */
const short = new Map([
  ["a", "alpha"],
  ["b", "beta"],
  ["m", "milestone"],
]);
const aliases = new Map([
  ["cr", "rc"],
  ["ga", ""],
  ["final", ""],
  ["release", ""],
]);

function toToken(separator: Token["separator"], run: string, beforeDigit: boolean): Token {
  const numeric = /^\d/.test(run);
  const word = beforeDigit ? (short.get(run) ?? run) : run;
  return { separator, text: aliases.get(word) ?? word, numeric };
}

function trim(found: Token[]): void {
  for (let last = found.at(-1); found.length > 1 && last && saysNothing(last); last = found.at(-1)) found.pop();
}

function saysNothing({ text, numeric }: Token): boolean {
  return numeric ? /^0+$/.test(text) : text === "";
}

/** `.word` before `-word` before `-number` before `.number`; like separators by what is behind them. */
function compareTokens(a: Token, b: Token): number {
  if (a.numeric !== b.numeric) return a.numeric ? 1 : -1;
  if (a.separator !== b.separator) return (a.separator === ".") === a.numeric ? 1 : -1;
  return a.numeric ? compareDigits(a.text, b.text) : compareWords(a.text, b.text);
}

/** As `1-rc` stands to `1`. */
function compareToNothing({ text, numeric }: Token): number {
  return numeric ? compareDigits(text, "0") : compareWords(text, "");
}

/** Known words in their order; unknown ones behind them, by their letters. */
const words = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];

function compareWords(a: string, b: string): number {
  const [x, y] = [rankOf(a), rankOf(b)];
  return x !== y ? Math.sign(x - y) : x === words.length ? compareText(a, b) : 0;
}

function rankOf(word: string): number {
  const rank = words.indexOf(word);
  return rank < 0 ? words.length : rank;
}
