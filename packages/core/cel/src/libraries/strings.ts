/** cel-go's string extensions, version 4 (cel-spec, doc/extensions/strings.md). Positions count code points. */
import { define, type Cost, type Overload } from "../environment.ts";
import { failure } from "../errors.ts";
import { sizeOf, type Int, type Value } from "../values.ts";
import { formatString } from "./format.ts";
import { traversal } from "./standard.ts";

const floored: Cost = (_, text) => Math.floor(sizeOf(text) * 0.1);
const twice: Cost = (_, text) => Math.ceil(sizeOf(text) * 2 * 0.1);
const twiceResult: Cost = (result) => Math.ceil(sizeOf(result) * 2 * 0.1);

function within(position: Int, length: number): number {
  const at = Number(position);
  if (at < 0 || at > length) throw failure(`index out of range: ${position}`);
  return at;
}

function charAt(text: string, position: Int): string {
  const characters = [...text];
  return characters[within(position, characters.length)] ?? "";
}

function indexOf(text: string, part: string, from: Int = 0): number {
  const [characters, wanted] = [[...text], [...part]];
  const start = part === "" ? Number(from) : within(from, characters.length);
  if (part === "") return within(start, characters.length);
  for (let at = start; at + wanted.length <= characters.length; at++) if (startsAt(characters, wanted, at)) return at;
  return -1;
}

function lastIndexOf(text: string, part: string, from?: Int): number {
  const [characters, wanted] = [[...text], [...part]];
  const last = from === undefined ? characters.length : within(from, characters.length);
  if (part === "") return last;
  for (let at = Math.min(last, characters.length - wanted.length); at >= 0; at--) {
    if (startsAt(characters, wanted, at)) return at;
  }
  return -1;
}

function startsAt(characters: readonly string[], wanted: readonly string[], at: number): boolean {
  return wanted.every((character, index) => characters[at + index] === character);
}

function replace(text: string, from: string, to: string, limit: Int = -1): string {
  const most = Number(limit) < 0 ? Infinity : Number(limit);
  const parts = from === "" ? ["", ...text] : text.split(from);
  // An empty part stands before every character and at the end.
  if (from === "") parts.push("");
  let result = parts[0] ?? "";
  for (const [index, part] of parts.slice(1).entries()) result += (index < most ? to : from) + part;
  return result;
}

function split(text: string, separator: string, limit: Int = -1): string[] {
  const most = Number(limit);
  if (most === 0) return [];
  const parts = separator === "" ? [...text] : text.split(separator);
  if (most < 0 || parts.length <= most) return parts;
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
}

function substring(text: string, from: Int, to?: Int): string {
  const characters = [...text];
  const end = to === undefined ? characters.length : within(to, characters.length);
  const start = within(from, characters.length);
  if (start > end) throw failure(`invalid substring range. start: ${start}, end: ${end}`);
  return characters.slice(start, end).join("");
}

/** Unicode's White_Space, which is not what JavaScript trims. */
const space = "\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const spaces = new RegExp(`^[${space}]+|[${space}]+$`, "g");

function join(list: readonly Value[], separator = ""): string {
  if (!list.every((item) => typeof item === "string")) throw failure("no such overload: join() of what is no string");
  return list.join(separator);
}

const escapes: Readonly<Record<string, string>> = {
  ...{ "\x07": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v" },
  ...{ "\\": "\\\\", '"': '\\"' },
};

function quote(text: string): string {
  return `"${[...text.toWellFormed()].map((character) => escapes[character] ?? character).join("")}"`;
}

export const strings: readonly Overload[] = [
  define("(string).charAt(int): string", charAt),
  define("(string).indexOf(string): int", indexOf, floored),
  define("(string).indexOf(string, int): int", indexOf, floored),
  define("(string).lastIndexOf(string): int", lastIndexOf, floored),
  define("(string).lastIndexOf(string, int): int", lastIndexOf, floored),
  define("(string).lowerAscii(): string", lowerAscii, traversal),
  define("(string).upperAscii(): string", upperAscii, traversal),
  define("(string).replace(string, string): string", replace, twice),
  define("(string).replace(string, string, int): string", replace, twice),
  define("(string).split(string): list<string>", split, twice),
  define("(string).split(string, int): list<string>", split, twice),
  define("(string).substring(int): string", substring, traversal),
  define("(string).substring(int, int): string", substring, traversal),
  define("(string).trim(): string", (text: string) => text.replaceAll(spaces, ""), traversal),
  define("(string).reverse(): string", (text: string) => [...text].toReversed().join(""), traversal),
  define("(string).format(list<dyn>): string", formatString, traversal),
  define("(list<string>).join(): string", (list: readonly Value[]) => join(list), twiceResult),
  define("(list<string>).join(string): string", join, twiceResult),
  define("strings.quote(string): string", quote, traversal),
];

function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (part) => part.toLowerCase());
}

function upperAscii(text: string): string {
  return text.replaceAll(/[a-z]+/g, (part) => part.toUpperCase());
}
