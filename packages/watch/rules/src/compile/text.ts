import { createRequire } from "node:module";

/** Answers whether the whole of a text fits. */
export type TextTest = (text: string) => boolean;

/** `glob`, `iglob` (fnmatch(3) without flags) and `regex` (RE2, full match). Raises an `Error` for what is no pattern. */
export function pattern(operator: "glob" | "iglob" | "regex", text: string): TextTest {
  if (operator !== "regex") return glob(text, operator === "iglob");
  // When it is needed: most watches never come so far.
  const { RE2JS } = require("re2js") as typeof import("re2js");
  const compiled = RE2JS.compile(text, RE2JS.DOTALL);
  return (value) => compiled.matcher(value).matches();
}

const require = createRequire(import.meta.url);

type Step = { readonly kind: "any" } | { readonly kind: "set"; readonly fits: (code: string) => boolean } | string;

/**
 * As fnmatch(3) with no flags: `*` takes any characters, slashes and leading dots too; `?`, `[a-z]`, `[!a]`, and a backslash
 * that takes the next character as it is. Between stars every part is looked for from the left, once: linear in the text.
 */
function glob(source: string, ignoreCase = false): TextTest {
  const parts = splitAtStars(ignoreCase ? source.toLowerCase() : source);
  const [first = [], ...rest] = parts;
  const last = rest.pop();
  const prepare = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  if (last === undefined) {
    const width = widthOf(first);
    return (text) => text.length === width && fitsAt(prepare(text), 0, first);
  }
  const [head, tail] = [widthOf(first), widthOf(last)];
  return (given) => {
    const text = prepare(given);
    const end = text.length - tail;
    if (head > end || !fitsAt(text, 0, first) || !fitsAt(text, end, last)) return false;
    let at = head;
    for (const part of rest) {
      const found = findFrom(text, at, end, part);
      if (found < 0) return false;
      at = found + widthOf(part);
    }
    return true;
  };
}

/** The steps between stars: literal runs as one text each. */
function splitAtStars(source: string): Step[][] {
  const parts: Step[][] = [[]];
  const literal = (text: string): void => {
    const part = parts.at(-1) ?? [];
    const before = part.at(-1);
    if (typeof before === "string") part[part.length - 1] = before + text;
    else part.push(text);
  };
  for (let at = 0; at < source.length; at++) {
    const character = source[at] ?? "";
    const set = character === "[" ? bracket(source, at) : undefined;
    if (character === "*") parts.push([]);
    else if (character === "?") parts.at(-1)?.push({ kind: "any" });
    else if (set) {
      parts.at(-1)?.push({ kind: "set", fits: set.fits });
      at = set.end;
    } else if (character === "\\" && at + 1 < source.length) literal(source[++at] ?? "");
    else literal(character);
  }
  return parts;
}

const classes: Readonly<Record<string, RegExp>> = {
  alpha: /^[A-Za-z]$/,
  digit: /^[0-9]$/,
  alnum: /^[A-Za-z0-9]$/,
  upper: /^[A-Z]$/,
  lower: /^[a-z]$/,
  space: /^\s$/,
  punct: /^[!-/:-@[-`{-~]$/,
  xdigit: /^[0-9A-Fa-f]$/,
};

/** A bracket expression that begins at `start`; undefined where it does not end, and is a literal. */
function bracket(source: string, start: number): { fits: (code: string) => boolean; end: number } | undefined {
  let at = start + 1;
  const isNegated = source[at] === "!" || source[at] === "^";
  if (isNegated) at++;
  const ranges: [low: string, high: string][] = [];
  const named: RegExp[] = [];
  for (let isFirst = true; ; isFirst = false) {
    const character = source[at];
    if (character === undefined) return undefined;
    if (character === "]" && !isFirst) break;
    const name = /^\[:(\w+):\]/.exec(source.slice(at, at + 12));
    const known = name && classes[name[1] ?? ""];
    if (name && known) {
      named.push(known);
      at += name[0].length;
      continue;
    }
    const low = character === "\\" ? (source[++at] ?? "\\") : character;
    if (source[at + 1] === "-" && source[at + 2] !== undefined && source[at + 2] !== "]") {
      ranges.push([low, source[at + 2] ?? ""]);
      at += 3;
    } else {
      ranges.push([low, low]);
      at++;
    }
  }
  const isIn = (code: string): boolean =>
    ranges.some(([low, high]) => code >= low && code <= high) || named.some((item) => item.test(code));
  return { fits: (code) => isIn(code) !== isNegated, end: at };
}

function widthOf(steps: readonly Step[]): number {
  let width = 0;
  for (const step of steps) width += typeof step === "string" ? step.length : 1;
  return width;
}

function fitsAt(text: string, start: number, steps: readonly Step[]): boolean {
  let at = start;
  for (const step of steps) {
    if (typeof step === "string") {
      if (!text.startsWith(step, at)) return false;
      at += step.length;
    } else {
      if (step.kind === "set" && !step.fits(text[at] ?? "")) return false;
      at++;
    }
  }
  return true;
}

function findFrom(text: string, from: number, end: number, steps: readonly Step[]): number {
  const width = widthOf(steps);
  const [first] = steps;
  for (let at = from; at + width <= end; at++) {
    if (typeof first === "string") {
      const found = text.indexOf(first, at);
      if (found < 0 || found + width > end) return -1;
      at = found;
    }
    if (fitsAt(text, at, steps)) return at;
  }
  return -1;
}

/**
 * `pmatch`: whether a path is one of the given ones, or below one. Components of the given ones may be globs. A tree, so
 * that the time does not depend on how many paths there are (globs at one level are tried one after the other).
 */
export function pathTree(paths: readonly string[]): TextTest {
  const root = newBranch();
  for (const path of paths) {
    let branch = root;
    for (const component of components(path)) branch = step(branch, component);
    branch.isEnd = true;
  }
  return (text) => {
    let branches = [root];
    for (const component of components(text)) {
      if (branches.some((branch) => branch.isEnd)) return true;
      branches = branches.flatMap((branch) => {
        const exact = branch.exact.get(component);
        const globs = branch.globs.filter(({ fits }) => fits(component)).map(({ branch }) => branch);
        return exact ? [exact, ...globs] : globs;
      });
      if (branches.length === 0) return false;
    }
    return branches.some((branch) => branch.isEnd);
  };
}

interface Branch {
  readonly exact: Map<string, Branch>;
  readonly globs: { readonly source: string; readonly fits: TextTest; readonly branch: Branch }[];
  isEnd: boolean;
}

function newBranch(): Branch {
  return { exact: new Map(), globs: [], isEnd: false };
}

function step(branch: Branch, component: string): Branch {
  if (/[*?[\\]/.test(component)) {
    const known = branch.globs.find(({ source }) => source === component);
    if (known) return known.branch;
    const next = newBranch();
    branch.globs.push({ source: component, fits: glob(component), branch: next });
    return next;
  }
  const known = branch.exact.get(component);
  if (known) return known;
  const next = newBranch();
  branch.exact.set(component, next);
  return next;
}

function components(path: string): string[] {
  return path.split("/").filter((component) => component !== "");
}
