import { compareDigits } from "./digits.ts";

/**
 * Alpine's order: src/version.c of apk-tools. `digits(.digits)*[letter](_suffix[digits])*[~hash][-rdigits]`. What does
 * not follow that form is taken as far as it does; a rest that is no version comes before
 * one that is.
 */
export function compareApk(a: string, b: string): number {
  const x = tokens(a);
  const y = tokens(b);
  for (let at = 0; ; at++) {
    const s = x[at] ?? end;
    const t = y[at] ?? end;
    if (s.kind !== t.kind) return compareKinds(s, t);
    if (s.kind === kinds.end) return 0;
    const order = compareValues(s, t);
    if (order !== 0) return order;
  }
}

/** What a version may go on with, in the order of apk-tools: the one that comes first here is the greater version. */
const kinds = {
  initial: 0,
  digits: 1,
  letter: 2,
  suffix: 3,
  suffixNumber: 4,
  hash: 5,
  revision: 6,
  end: 7,
  invalid: 8,
} as const;
type Kind = (typeof kinds)[keyof typeof kinds];
interface Token {
  kind: Kind;
  value: string;
}
const end: Token = { kind: kinds.end, value: "" };

/** Suffixes in their order; those before the gap come before no suffix at all. */
const before = ["alpha", "beta", "pre", "rc"];
const behind = ["cvs", "svn", "git", "hg", "p"];

function suffixRank(name: string): number {
  const early = before.indexOf(name);
  return early >= 0 ? early - before.length : behind.indexOf(name) + 1;
}

function compareKinds(s: Token, t: Token): number {
  if (s.kind === kinds.suffix && suffixRank(s.value) < 0) return -1;
  if (t.kind === kinds.suffix && suffixRank(t.value) < 0) return 1;
  return s.kind > t.kind ? -1 : 1;
}

function compareValues(s: Token, t: Token): number {
  switch (s.kind) {
    case kinds.digits:
      // Behind a point, a number with a leading zero is a fraction: 1.05 comes before 1.1.
      if (s.value.startsWith("0") || t.value.startsWith("0")) return compareText(s.value, t.value);
      return compareDigits(s.value, t.value);
    case kinds.initial:
    case kinds.suffixNumber:
    case kinds.revision:
      return compareDigits(s.value, t.value);
    case kinds.suffix:
      return Math.sign(suffixRank(s.value) - suffixRank(t.value));
    default:
      return compareText(s.value, t.value);
  }
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Each form with the kinds that may stand before it. */
const forms: { pattern: RegExp; kind: Kind; after: readonly Kind[] }[] = [
  { pattern: /\.(\d+)/y, kind: kinds.digits, after: [kinds.initial, kinds.digits] },
  { pattern: /([a-z])/y, kind: kinds.letter, after: [kinds.initial, kinds.digits] },
  {
    pattern: /_([a-z]+)/y,
    kind: kinds.suffix,
    after: [kinds.initial, kinds.digits, kinds.letter, kinds.suffix, kinds.suffixNumber],
  },
  { pattern: /(\d+)/y, kind: kinds.suffixNumber, after: [kinds.suffix] },
  {
    pattern: /~([0-9a-f]+)/y,
    kind: kinds.hash,
    after: [kinds.initial, kinds.digits, kinds.letter, kinds.suffix, kinds.suffixNumber],
  },
  {
    // An empty revision is 0, but letters make it none.
    pattern: /-r(\d+|(?![0-9a-z]))/y,
    kind: kinds.revision,
    after: [kinds.initial, kinds.digits, kinds.letter, kinds.suffix, kinds.suffixNumber, kinds.hash],
  },
];

function tokens(version: string): Token[] {
  const text = version.trim();
  const first = /^\d+/.exec(text)?.[0] ?? "";
  if (first === "") return [{ kind: kinds.invalid, value: text }];
  const found: Token[] = [{ kind: kinds.initial, value: first }];
  let at = first.length;
  while (at < text.length) {
    const token = nextToken(text, at, found.at(-1)?.kind ?? kinds.initial);
    // Behind a dash that begins no revision nothing counts any more.
    if (!token) return [...found, { kind: kinds.invalid, value: text[at] === "-" ? "" : text.slice(at) }];
    found.push({ kind: token.kind, value: token.value });
    at = token.end;
  }
  return found;
}

function nextToken(text: string, at: number, last: Kind): (Token & { end: number }) | undefined {
  for (const { pattern, kind, after } of forms) {
    if (!after.includes(last)) continue;
    pattern.lastIndex = at;
    const value = pattern.exec(text)?.[1];
    if (value === undefined) continue;
    if (kind === kinds.suffix && suffixRank(value) === 0) continue;
    return { kind, value, end: pattern.lastIndex };
  }
  return undefined;
}
