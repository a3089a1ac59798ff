import type { Call, Entry, Expr, Field } from "./ast.ts";
import { CelError } from "./errors.ts";
import { intLiteral, tokenize, type Token } from "./lexer.ts";
import { expandMacro } from "./macros.ts";

/** Names that a grammar of the future may want (cel-spec, language definition). */
const reserved = new Set([
  ...["as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop"],
  ...["package", "namespace", "return", "var", "void", "while"],
]);
const keywords = new Set(["true", "false", "null", "in"]);
const relations = new Map([
  ...["<", "<=", ">", ">=", "==", "!="].map((symbol) => [symbol, `_${symbol}_`] as const),
  ["in", "@in"] as const,
]);
const maxDepth = 250;
const maxNodes = 20_000;

/** The tree of an expression. Raises a `CelError` (`syntax`) with the offset of what is wrong. */
export function parse(source: string): Expr {
  const parser = new Parser(tokenize(source));
  const expr = parser.expression();
  parser.expectEnd();
  return expr;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #nodes = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  expectEnd(): void {
    if (this.#token.kind !== "end") throw this.#unexpected("the end of the expression");
  }

  expression(): Expr {
    if (++this.#depth > maxDepth) throw new CelError("syntax", `nested deeper than ${maxDepth}`, this.#token.offset);
    const condition = this.#logical("||");
    const question = this.#token.offset;
    let expr = condition;
    if (this.#take("?")) {
      const then = this.#logical("||");
      this.#expect(":");
      expr = this.#call("_?_:_", [condition, then, this.expression()], question);
    }
    this.#depth--;
    return expr;
  }

  /** Chains are one call with many operands, so that a long one is not deep. */
  #logical(symbol: "&&" | "||"): Expr {
    const next = (): Expr => (symbol === "||" ? this.#logical("&&") : this.#relation());
    const operands = [next()];
    const { offset } = this.#token;
    while (this.#take(symbol)) operands.push(next());
    const [first] = operands;
    return first !== undefined && operands.length === 1 ? first : this.#call(`_${symbol}_`, operands, offset);
  }

  #relation(): Expr {
    let left = this.#sum();
    for (;;) {
      const { kind, text, offset } = this.#token;
      const name = kind === "symbol" || text === "in" ? relations.get(text) : undefined;
      if (name === undefined) return left;
      this.#at++;
      left = this.#call(name, [left, this.#sum()], offset);
    }
  }

  #sum(): Expr {
    let left = this.#product();
    for (;;) {
      const { text, offset } = this.#token;
      if (!this.#take("+") && !this.#take("-")) return left;
      left = this.#call(`_${text}_`, [left, this.#product()], offset);
    }
  }

  #product(): Expr {
    let left = this.#unary();
    for (;;) {
      const { text, offset } = this.#token;
      if (!this.#take("*") && !this.#take("/") && !this.#take("%")) return left;
      left = this.#call(`_${text}_`, [left, this.#unary()], offset);
    }
  }

  /** Pairs of the same sign cancel out. */
  #unary(): Expr {
    const { offset, text } = this.#token;
    if (!this.#is("!") && !this.#is("-")) return this.#member();
    let count = 0;
    while (this.#is(text)) {
      const next = this.#tokens[this.#at + 1];
      if (text === "-" && typeof next?.value === "bigint") break;
      this.#at++;
      count++;
    }
    const operand = this.#member();
    return count % 2 === 0 ? operand : this.#call(text === "!" ? "!_" : "-_", [operand], offset);
  }

  #member(): Expr {
    let expr = this.#primary();
    for (;;) {
      const { offset } = this.#token;
      if (this.#take(".")) {
        const optional = this.#take("?");
        const name = this.#fieldName();
        if (!optional && this.#is("(")) {
          expr = this.#invoke(name, this.#arguments(), offset, expr);
        } else {
          this.#count(offset);
          expr = { kind: "select", operand: expr, field: name, test: false, optional, offset };
        }
      } else if (this.#take("[")) {
        const optional = this.#take("?");
        const index = this.expression();
        this.#expect("]");
        expr = this.#call(optional ? "_[?_]" : "_[_]", [expr, index], offset);
      } else if (this.#is("{")) {
        const name = qualifiedName(expr);
        if (name === undefined) return expr;
        expr = this.#message(name, expr.offset);
      } else return expr;
    }
  }

  #primary(): Expr {
    const token = this.#token;
    const { offset } = token;
    this.#count(offset);
    if (this.#take("-")) {
      const { value } = this.#next();
      return { kind: "literal", value: intLiteral(value as bigint, true, offset), offset };
    }
    if (token.kind === "literal") {
      this.#at++;
      const value = typeof token.value === "bigint" ? intLiteral(token.value, false, offset) : token.value;
      return { kind: "literal", value, offset };
    }
    if (token.kind === "ident" || this.#is(".")) return this.#name();
    if (this.#take("(")) {
      const expr = this.expression();
      this.#expect(")");
      return expr;
    }
    if (this.#is("[")) return this.#list();
    if (this.#is("{")) return { kind: "map", entries: this.#entries(), offset };
    throw this.#unexpected("an expression");
  }

  #name(): Expr {
    const { offset } = this.#token;
    const leading = this.#take(".") ? "." : "";
    const token = this.#next();
    if (token.kind !== "ident") throw unexpected(token, "a name");
    const { text } = token;
    if (leading === "") {
      if (text === "true" || text === "false") return { kind: "literal", value: text === "true", offset };
      if (text === "null") return { kind: "literal", value: null, offset };
    }
    if (reserved.has(text) || keywords.has(text)) {
      throw new CelError("syntax", `${text} is a reserved word`, token.offset);
    }
    const name = leading + text;
    return this.#is("(") ? this.#invoke(name, this.#arguments(), offset) : { kind: "ident", name, offset };
  }

  #invoke(name: string, args: Expr[], offset: number, target?: Expr): Expr {
    this.#count(offset);
    const call: Call = { kind: "call", name, args, offset, ...(target ? { target } : {}) };
    return expandMacro(call) ?? call;
  }

  #arguments(): Expr[] {
    this.#expect("(");
    const args: Expr[] = [];
    while (!this.#take(")")) {
      if (args.length > 0) this.#expect(",");
      args.push(this.expression());
    }
    return args;
  }

  #list(): Expr {
    const { offset } = this.#next();
    const elements: Expr[] = [];
    const optional = new Set<number>();
    while (!this.#take("]")) {
      if (this.#take("?")) optional.add(elements.length);
      elements.push(this.expression());
      if (!this.#is("]")) this.#expect(",");
    }
    return { kind: "list", elements, optional, offset };
  }

  #entries(): Entry[] {
    this.#expect("{");
    const entries: Entry[] = [];
    while (!this.#take("}")) {
      const optional = this.#take("?");
      const key = this.expression();
      this.#expect(":");
      entries.push({ key, value: this.expression(), optional });
      if (!this.#is("}")) this.#expect(",");
    }
    return entries;
  }

  #message(name: string, offset: number): Expr {
    this.#expect("{");
    const fields: Field[] = [];
    while (!this.#take("}")) {
      const optional = this.#take("?");
      const at = this.#token.offset;
      const field = this.#fieldName();
      this.#expect(":");
      fields.push({ name: field, value: this.expression(), optional, offset: at });
      if (!this.#is("}")) this.#expect(",");
    }
    return { kind: "message", name, fields, offset };
  }

  #fieldName(): string {
    const token = this.#next();
    if (token.kind === "quoted") return token.text;
    if (token.kind !== "ident" || keywords.has(token.text)) throw unexpected(token, "the name of a field");
    return token.text;
  }

  #call(name: string, args: Expr[], offset: number): Expr {
    this.#count(offset);
    return { kind: "call", name, args, offset };
  }

  /** Every node on the way: a bound for what follows, whose recursion goes as deep as the tree. */
  #count(offset: number): void {
    if (++this.#nodes > maxNodes) throw new CelError("syntax", `more than ${maxNodes} parts`, offset);
  }

  get #token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #next(): Token {
    const token = this.#token;
    if (token.kind !== "end") this.#at++;
    return token;
  }

  #is(symbol: string): boolean {
    return this.#token.kind === "symbol" && this.#token.text === symbol;
  }

  #take(symbol: string): boolean {
    if (!this.#is(symbol)) return false;
    this.#at++;
    return true;
  }

  #expect(symbol: string): void {
    if (!this.#take(symbol)) throw this.#unexpected(`"${symbol}"`);
  }

  #unexpected(wanted: string): CelError {
    return unexpected(this.#token, wanted);
  }
}

function unexpected(token: Token, wanted: string): CelError {
  const found = token.kind === "end" ? "the end" : JSON.stringify(token.text);
  return new CelError("syntax", `${found} where ${wanted} should be`, token.offset);
}

/** `a.b.c` of names and selections; undefined for all else. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === "ident") return expr.name;
  if (expr.kind !== "select" || expr.test || expr.optional) return undefined;
  const operand = qualifiedName(expr.operand);
  return operand === undefined ? undefined : `${operand}.${expr.field}`;
}
