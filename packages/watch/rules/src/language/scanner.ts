import type { Place, Source } from "./ast.ts";
import { ConditionError } from "./error.ts";

/** Tokens as libsinsp's `filter/parser.cpp` has them; POSIX classes written out. */
const patterns = {
  identifier: /[a-zA-Z]+[a-zA-Z0-9_]*/y,
  field: /[a-zA-Z]+[a-zA-Z0-9_]*(?:\.[a-zA-Z]+[a-zA-Z0-9_]*)+/y,
  /** What may follow the known part of a field without brackets: `k8s.pod.label.app-name`. */
  number: /0[xX][0-9a-fA-F]+|[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?/y,
  argument: /[^\][\s"']+/y,
  bare: /[^()"'\s=,]+/y,
  blank: /[ \t\b\r\n]*/y,
};
export type TokenKind = Exclude<keyof typeof patterns, "blank">;

/** A place in a text that moves forward. Lexing depends on what the grammar expects, as in libsinsp. */
export class Scanner {
  readonly source: Source;
  offset = 0;

  constructor(source: Source) {
    this.source = source;
  }

  /** Answers whether there was any blank. */
  blank(): boolean {
    const before = this.offset;
    patterns.blank.lastIndex = before;
    this.offset += patterns.blank.exec(this.source.text)?.[0].length ?? 0;
    return this.offset > before;
  }

  get atEnd(): boolean {
    return this.offset >= this.source.text.length;
  }

  get place(): Place {
    return Object.freeze({ source: this.source, offset: this.offset });
  }

  take(kind: TokenKind): string | undefined {
    const pattern = patterns[kind];
    pattern.lastIndex = this.offset;
    const token = pattern.exec(this.source.text)?.[0];
    if (token !== undefined) this.offset += token.length;
    return token;
  }

  /** A symbol, whatever follows. */
  symbol(text: string): boolean {
    if (!this.source.text.startsWith(text, this.offset)) return false;
    this.offset += text.length;
    return true;
  }

  /** A word that ends here: no letter, digit, underscore or dot follows. */
  word(text: string): boolean {
    if (!this.source.text.startsWith(text, this.offset)) return false;
    if (/[\w.]/.test(this.source.text[this.offset + text.length] ?? "")) return false;
    this.offset += text.length;
    return true;
  }

  /** A function's name with its parenthesis: `tolower(`. */
  call(text: string): boolean {
    const before = this.offset;
    if (this.word(text)) {
      this.blank();
      if (this.symbol("(")) return true;
    }
    this.offset = before;
    return false;
  }

  quoted(): string | undefined {
    const quote = this.source.text[this.offset];
    if (quote !== '"' && quote !== "'") return undefined;
    const start = this.offset;
    let text = "";
    for (let at = start + 1; at < this.source.text.length; at++) {
      const character = this.source.text[at] ?? "";
      if (character === quote) {
        this.offset = at + 1;
        return text;
      }
      if (character !== "\\") text += character;
      else text += this.#escape(++at, quote);
    }
    throw this.error("a text in quotes does not end", `close it with ${quote}`);
  }

  /** The escapes of libsinsp's `filter/escaping.cpp`. */
  #escape(at: number, quote: string): string {
    const character = this.source.text[at] ?? "";
    const known = escapes[character];
    if (known !== undefined) return known;
    if (character === quote) return quote;
    throw new ConditionError(
      `\\${character} is no escape in a text between ${quote}`,
      { source: this.source, offset: at - 1 },
      `known are \\b \\f \\n \\r \\t \\\\ \\/ and \\${quote}; write a backslash as \\\\`,
    );
  }

  error(message: string, remedy: string): ConditionError {
    return new ConditionError(message, this.place, remedy);
  }

  /** The next few characters, for messages. */
  get next(): string {
    const rest = this.source.text.slice(this.offset, this.offset + 24);
    return rest === "" ? "the end" : JSON.stringify(rest.split(/\s/)[0] === "" ? rest : rest.split(/\s/)[0]);
  }
}

// A backslash before a blank is a backslash: libsinsp keeps it for rules that were written so.
const escapes: Readonly<Record<string, string>> = {
  ...{ b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" },
  ...{ " ": "\\", "\\": "\\", "/": "/" },
};
