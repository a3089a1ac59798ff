import { CelError } from "./errors.ts";
import { checkedInt, checkedUint, Double } from "./values.ts";

export interface Token {
  readonly kind: "end" | "ident" | "literal" | "quoted" | "symbol";
  /** The name, or the symbol. */
  readonly text: string;
  /** Of a literal. Integers have no sign yet: `-9223372036854775808` is read by the parser. */
  readonly value?: unknown;
  readonly offset: number;
}

const symbols = [
  ...["==", "!=", "<=", ">=", "&&", "||"],
  ...["(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "!", "-", "+", "*", "/", "%", "<", ">"],
];
const maxLength = 100_000;

/** The tokens of an expression, the last of kind `end`. */
export function tokenize(source: string): Token[] {
  if (source.length > maxLength) throw new CelError("syntax", `longer than ${maxLength} characters`, 0);
  const tokens: Token[] = [];
  const blank = /(?:[\t\n\f\r ]|\/\/[^\n]*)*/y;
  const ident = /[A-Za-z_][A-Za-z0-9_]*/y;
  let at = 0;
  for (;;) {
    blank.lastIndex = at;
    at += blank.exec(source)?.[0].length ?? 0;
    if (at >= source.length) break;
    const offset = at;
    const text = /["']/.test(source[at] ?? "") ? "" : stringPrefix(source, at);
    if (text !== undefined) {
      const { value, end } = readString(source, at, text);
      tokens.push({ kind: "literal", text: source.slice(at, end), value, offset });
      at = end;
      continue;
    }
    ident.lastIndex = at;
    const name = ident.exec(source)?.[0];
    if (name !== undefined) {
      tokens.push({ kind: "ident", text: name, offset });
      at += name.length;
      continue;
    }
    const number = readNumber(source, at);
    if (number) {
      tokens.push({ kind: "literal", text: source.slice(at, number.end), value: number.value, offset });
      at = number.end;
      continue;
    }
    if (source[at] === "`") {
      const quoted = /`([A-Za-z0-9_.\-/ ]+)`/y;
      quoted.lastIndex = at;
      const match = quoted.exec(source);
      if (!match) throw new CelError("syntax", "a quoted field does not end, or holds what cannot be quoted", at);
      tokens.push({ kind: "quoted", text: match[1] ?? "", offset });
      at += match[0].length;
      continue;
    }
    const symbol = symbols.find((item) => source.startsWith(item, at));
    if (symbol === undefined) {
      const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
      throw new CelError("syntax", `unexpected ${JSON.stringify(character)}`, at);
    }
    tokens.push({ kind: "symbol", text: symbol, offset });
    at += symbol.length;
  }
  tokens.push({ kind: "end", text: "the end", offset: source.length });
  return tokens;
}

/** `r`, `b`, `rb` and so on where a string follows; undefined elsewhere. */
function stringPrefix(source: string, at: number): string | undefined {
  const prefix = /(?:[rR][bB]?|[bB][rR]?)(?=["'])/y;
  prefix.lastIndex = at;
  return prefix.exec(source)?.[0].toLowerCase();
}

/** Integers with their value as a bigint, unsigned and floating ones as they are. */
function readNumber(source: string, at: number): { value: unknown; end: number } | undefined {
  const floating = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y;
  floating.lastIndex = at;
  const float = floating.exec(source)?.[0];
  if (float !== undefined) {
    const value = Number(float);
    if (!Number.isFinite(value)) throw new CelError("syntax", `${float} is more than a double holds`, at);
    return { value: new Double(value), end: at + float.length };
  }
  const whole = /(?:0[xX][0-9a-fA-F]+|\d+)([uU]?)/y;
  whole.lastIndex = at;
  const match = whole.exec(source);
  if (!match) return undefined;
  const unsigned = (match[1] ?? "") !== "";
  const digits = match[0].slice(0, unsigned ? -1 : undefined);
  const end = at + match[0].length;
  try {
    return { value: unsigned ? checkedUint(BigInt(digits)) : BigInt(digits), end };
  } catch {
    throw new CelError("syntax", `${match[0]} is more than 64 bits hold`, at);
  }
}

/** An integer literal with its sign. */
export function intLiteral(digits: bigint, negative: boolean, offset: number): unknown {
  try {
    return checkedInt(negative ? -digits : digits);
  } catch {
    throw new CelError("syntax", `${negative ? "-" : ""}${digits} is more than 64 bits hold`, offset);
  }
}

const simpleEscapes: Readonly<Record<string, string>> = {
  ...{ a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" },
  ...{ "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`" },
};

function readString(source: string, start: number, prefix: string): { value: unknown; end: number } {
  const raw = prefix.includes("r");
  const bytes = prefix.includes("b");
  let at = start + prefix.length;
  const one = source[at] ?? "";
  const quote = source.startsWith(one.repeat(3), at) ? one.repeat(3) : one;
  at += quote.length;
  let text = "";
  const chunks: Buffer[] = [];
  const flush = (): void => {
    chunks.push(Buffer.from(text, "utf8"));
    text = "";
  };
  for (;;) {
    if (at >= source.length) throw new CelError("syntax", "a string does not end", start);
    if (source.startsWith(quote, at)) break;
    const character = source[at] ?? "";
    if (quote.length === 1 && (character === "\n" || character === "\r")) {
      throw new CelError("syntax", "a string does not end on its line", start);
    }
    if (character === "\\" && !raw) {
      const { value, byte, length } = readEscape(source, at, bytes);
      if (byte === undefined) text += value;
      else {
        flush();
        chunks.push(Buffer.of(byte));
      }
      at += length;
    } else {
      // A line ends with one character, whatever the file has.
      text += character === "\r" ? "\n" : character;
      at += character === "\r" && source[at + 1] === "\n" ? 2 : 1;
    }
  }
  const end = at + quote.length;
  if (!bytes) return { value: text, end };
  flush();
  return { value: new Uint8Array(Buffer.concat(chunks)), end };
}

/** The character of an escape, or in bytes the byte. */
function readEscape(source: string, at: number, bytes: boolean): { value: string; byte?: number; length: number } {
  const simple = simpleEscapes[source[at + 1] ?? ""];
  if (simple !== undefined) return { value: simple, length: 2 };
  const escape = /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/y;
  escape.lastIndex = at;
  const match = escape.exec(source);
  if (!match) throw new CelError("syntax", `${source.slice(at, at + 2)} is no escape`, at);
  const hex = match[1] ?? match[2] ?? match[3];
  const code = hex === undefined ? Number.parseInt(match[4] ?? "", 8) : Number.parseInt(hex, 16);
  const wide = match[2] ?? match[3];
  const { length } = match[0];
  if (bytes && wide === undefined) return { value: "", byte: code, length };
  if (bytes) throw new CelError("syntax", `${match[0]} is not for bytes`, at);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw new CelError("syntax", `${match[0]} is no character`, at);
  }
  return { value: String.fromCodePoint(code), length };
}
