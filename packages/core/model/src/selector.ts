import { BulwarkError } from "./error.ts";

/** One requirement on labels. A selector is all of its requirements together. */
export interface Requirement {
  key: string;
  operator: "in" | "not-in" | "exists" | "not-exists";
  /** Empty for `exists` and `not-exists`. */
  values: readonly string[];
}

/** The text is no label selector; the message says where. */
export class SelectorError extends BulwarkError<"selector"> {}

const longest = 2048;
const mostRequirements = 32;
const mostValues = 64;
const name = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const prefix = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
/** Linear: one alternative for each first character. */
const tokens = /\s*(?:(!=|==|[=!,()])|([^\s=!,()]+)|$)/y;

/**
 * Reads a label selector as `kubectl -l` does: `app=web,tier!=db,env in (prod, test),!canary`. An empty text has no
 * requirement. Raises `SelectorError`. Source: kubernetes.io/docs/concepts/overview/working-with-objects/labels
 */
export function parseSelector(text: string): Requirement[] {
  if (text.length > longest) throw broken(longest, `longer than ${longest} characters`);
  const words = tokenize(text);
  const requirements: Requirement[] = [];
  let at = 0;
  const peek = (): string => words[at]?.text ?? "";
  const take = (): string => words[at++]?.text ?? "";
  const fail = (what: string): never => {
    throw broken(words[at]?.at ?? text.length, what);
  };

  function values(): string[] {
    if (peek() !== "(") fail("expected (");
    take();
    const found: string[] = [];
    for (;;) {
      // `in (a,)` and `in ()` hold the empty value, as in Kubernetes.
      found.push(peek() === "," || peek() === ")" ? "" : value());
      if (found.length > mostValues) fail(`more than ${mostValues} values`);
      if (peek() === ")") break;
      if (peek() !== ",") fail("expected , or )");
      take();
    }
    take();
    return found;
  }
  function value(): string {
    if (peek() !== "" && !name.test(peek())) fail(`${quoted(peek())} is no label value`);
    return take();
  }
  function key(): string {
    if (!isKey(peek())) fail(peek() === "" ? "expected a label key" : `${quoted(peek())} is no label key`);
    return take();
  }
  function requirement(): Requirement {
    if (peek() === "!") {
      take();
      return { key: key(), operator: "not-exists", values: [] };
    }
    const label = key();
    switch (peek()) {
      case "":
      case ",":
        return { key: label, operator: "exists", values: [] };
      case "=":
      case "==":
        take();
        return { key: label, operator: "in", values: [peek() === "," ? "" : value()] };
      case "!=":
        take();
        return { key: label, operator: "not-in", values: [peek() === "," ? "" : value()] };
      case "in":
        take();
        return { key: label, operator: "in", values: values() };
      case "notin":
        take();
        return { key: label, operator: "not-in", values: values() };
      default:
        return fail(`expected =, !=, in, notin or , and not ${quoted(peek())}`);
    }
  }

  while (at < words.length) {
    requirements.push(requirement());
    if (requirements.length > mostRequirements) fail(`more than ${mostRequirements} requirements`);
    if (at < words.length && take() !== ",") {
      at--;
      fail("expected ,");
    } else if (at === words.length && words.at(-1)?.text === ",") fail("expected a label key");
  }
  return requirements;
}

/** Whether labels meet every requirement. A label that is not there meets `not-in`, as in Kubernetes. */
export function matchesSelector(labels: Readonly<Record<string, string>>, selector: readonly Requirement[]): boolean {
  return selector.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case "exists":
        return value !== undefined;
      case "not-exists":
        return value === undefined;
      case "in":
        return value !== undefined && values.includes(value);
      case "not-in":
        return value === undefined || !values.includes(value);
    }
  });
}

function tokenize(text: string): { text: string; at: number }[] {
  const found: { text: string; at: number }[] = [];
  tokens.lastIndex = 0;
  while (tokens.lastIndex < text.length) {
    const match = tokens.exec(text);
    const word = match?.[1] ?? match?.[2];
    if (word === undefined) break;
    found.push({ text: word, at: tokens.lastIndex - word.length });
  }
  return found;
}

function isKey(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash < 0) return name.test(text);
  const domain = text.slice(0, slash);
  return domain.length <= 253 && prefix.test(domain) && name.test(text.slice(slash + 1));
}

function broken(at: number, what: string): SelectorError {
  return new SelectorError("selector", `label selector, character ${at + 1}: ${what}`, {
    remedy: "write it as kubectl does: app=web,tier in (front, back),!canary",
  });
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
