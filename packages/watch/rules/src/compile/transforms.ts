import type { BoundTransform } from "./bound.ts";

/** What comes into a transformer: one value, several, or nothing. */
type Input = string | number | boolean | readonly string[] | Uint8Array | undefined;

/** The value of a transformer; undefined where an input has none. */
export function transform({ name, inputs }: BoundTransform, values: readonly Input[]): Input {
  if (values.some((value) => value === undefined)) return undefined;
  const [first, second] = values;
  switch (name) {
    case "tolower":
      return each(first, (text) => text.toLowerCase());
    case "toupper":
      return each(first, (text) => text.toUpperCase());
    case "b64":
      return each(first, decoded);
    case "basename":
      return each(first, (text) => text.slice(text.lastIndexOf("/") + 1));
    case "len":
      return lengthOf(first);
    case "join":
      return texts(second).join(texts(first).join(""));
    case "concat":
      return inputs.some((input) => "kind" in input && input.isList)
        ? values.flatMap(texts)
        : values.flatMap(texts).join("");
    case "getopt":
      return options(texts(first), texts(second).join(""));
  }
}

function each(value: Input, change: (text: string) => string | undefined): Input {
  if (Array.isArray(value)) return (value as readonly string[]).map(change).filter((text) => text !== undefined);
  if (value instanceof Uint8Array) return change(Buffer.from(value).toString("latin1"));
  return change(String(value));
}

/** Undefined where the text is no base64. */
function decoded(text: string): string | undefined {
  const plain = text.trim();
  if (!/^[A-Za-z0-9+/\s]*={0,2}$/.test(plain) || plain.length % 4 === 1) return undefined;
  return Buffer.from(plain, "base64").toString("utf8");
}

function lengthOf(value: Input): number {
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  return typeof value === "string" ? Buffer.byteLength(value) : 0;
}

function texts(value: Input): string[] {
  if (Array.isArray(value)) return [...(value as readonly string[])];
  return value === undefined
    ? []
    : [value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value)];
}

/**
 * The options of a command line as getopt(3) finds them in `known` (`e:v`: `-e` takes a value, `-v` does not): `v`, and `e=/bin/sh`.
 * A text is split at blanks.
 */
function options(given: readonly string[], known: string): string[] {
  const words = given.length === 1 ? (given[0] ?? "").split(/\s+/) : given;
  const takes = new Map([...known.matchAll(/([^:])(:?)/g)].map((match) => [match[1] ?? "", match[2] === ":"]));
  const found: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--") break;
    if (!word.startsWith("-") || word.startsWith("--")) continue;
    for (let index = 1; index < word.length; index++) {
      const letter = word[index] ?? "";
      const needs = takes.get(letter);
      if (needs === undefined) continue;
      if (!needs) {
        found.push(letter);
        continue;
      }
      const rest = word.slice(index + 1);
      found.push(`${letter}=${rest === "" ? (words[++at] ?? "") : rest}`);
      break;
    }
  }
  return found;
}
