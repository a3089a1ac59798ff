/**
 * Falco's conditions: `or` binds weaker than `and`, that weaker than `not`. Source: libsinsp, `filter/parser.h` (grammar)
 * and `filter/parser.cpp`. Recursive descent, so that every error knows its place.
 */
import {
  listOperators,
  modifiers,
  numberOperators,
  textOperators,
  transformNames,
  type Check,
  type Expr,
  type FieldUse,
  type List,
  type Modifier,
  type Operand,
  type Operator,
  type Place,
  type Right,
  type Source,
  type Transform,
  type TransformName,
  type Value,
} from "./ast.ts";
import { ConditionError } from "./error.ts";
import { Scanner } from "./scanner.ts";

/** As Falco's engine sets it; conditions of people have less than ten. */
const maxDepth = 200;
const maxLength = 200_000;

/** Raises a `ConditionError` for what is no condition. */
export function parseCondition(source: Source): Expr {
  if (source.text.length > maxLength) {
    throw new ConditionError(
      `a condition of more than ${maxLength} characters`,
      { source, offset: 0 },
      "make lists and macros of its parts",
    );
  }
  const parser = new Parser(source);
  return parser.whole();
}

/** The field or transformer at an offset of a text (an output), and where it ends; undefined where none begins there. */
export function parseOperandAt(source: Source, offset: number): { operand: Operand; end: number } | undefined {
  const parser = new Parser(source);
  parser.scanner.offset = offset;
  const operand = parser.operand();
  return operand && { operand, end: parser.scanner.offset };
}

/** An item of a list as it stands in YAML: quotes of its own are taken off, everything else is taken literally. */
export function parseItem(source: Source): Value {
  const scanner = new Scanner(source);
  const { place } = scanner;
  const text = scanner.quoted();
  if (text !== undefined && scanner.atEnd) return Object.freeze({ kind: "value", text, quoted: true, place });
  return Object.freeze({ kind: "value", text: source.text, quoted: false, place });
}

/** A list in parentheses that is all of a text. */
export function parseList(source: Source): List {
  return new Parser(source).wholeList();
}

class Parser {
  readonly scanner: Scanner;
  #depth = 0;

  constructor(source: Source) {
    this.scanner = new Scanner(source);
  }

  whole(): Expr {
    this.scanner.blank();
    if (this.scanner.atEnd) throw this.scanner.error("an empty condition", "say when the rule fires");
    const expr = this.#or();
    this.scanner.blank();
    if (!this.scanner.atEnd) {
      throw this.scanner.error(`${this.scanner.next} where "and", "or" or the end is expected`, this.#trailingRemedy());
    }
    return expr;
  }

  wholeList(): List {
    const { place } = this.scanner;
    if (!this.scanner.symbol("("))
      throw this.scanner.error(`${this.scanner.next} where a list is expected`, "write (a, b)");
    const list = this.#list(place);
    this.scanner.blank();
    if (this.scanner.atEnd) return list;
    throw this.scanner.error(`${this.scanner.next} behind a list`, "put texts with blanks or parentheses in quotes");
  }

  #trailingRemedy(): string {
    if (this.scanner.source.text[this.scanner.offset] === ")") return "a parenthesis closes that was not opened";
    return "join two conditions with and or or; put texts with blanks, commas, = or parentheses in quotes";
  }

  #or(): Expr {
    return this.#chain("or", () => this.#and());
  }

  #and(): Expr {
    return this.#chain("and", () => this.#not());
  }

  #chain(word: "and" | "or", next: () => Expr): Expr {
    const parts = [next()];
    for (;;) {
      this.scanner.blank();
      if (!this.#joint(word)) break;
      parts.push(next());
    }
    const [first] = parts;
    return parts.length === 1 && first ? first : Object.freeze({ kind: word, parts: Object.freeze(parts) });
  }

  /** `and` and `or` are followed by a blank or by a parenthesis. */
  #joint(word: string): boolean {
    const { text } = this.scanner.source;
    const after = text[this.scanner.offset + word.length] ?? " ";
    return /[\s(]/.test(after) && this.scanner.symbol(word);
  }

  #not(): Expr {
    this.scanner.blank();
    let isNot = false;
    while (this.#joint("not")) {
      isNot = !isNot;
      this.scanner.blank();
    }
    const part = this.#check();
    return isNot ? Object.freeze({ kind: "not", part }) : part;
  }

  #check(): Expr {
    const { scanner } = this;
    if (scanner.symbol("(")) return this.#embedded();
    const { place } = scanner;
    const left = this.operand();
    if (left) return this.#condition(left, place);
    const name = scanner.take("identifier");
    if (name !== undefined) return Object.freeze({ kind: "macro", name, place });
    throw scanner.error(
      `${scanner.next} where a condition is expected`,
      "a field with an operator (proc.name = cat), the name of a macro, or a parenthesis",
    );
  }

  #embedded(): Expr {
    if (++this.#depth > maxDepth) {
      throw this.scanner.error(`parentheses nested more than ${maxDepth} deep`, "make macros of its parts");
    }
    const inner = this.#or();
    this.#close();
    this.#depth--;
    return inner;
  }

  #close(): void {
    this.scanner.blank();
    if (this.scanner.symbol(")")) return;
    throw this.scanner.error(
      `${this.scanner.next} where ")" is expected`,
      "close the parenthesis, or join with and or or",
    );
  }

  /** A field or a transformer; undefined where neither begins. */
  operand(): Operand | undefined {
    const { place } = this.scanner;
    const name = transformNames.find((item) => this.scanner.call(item));
    if (name !== undefined) return this.#transform(name, place);
    return this.#field();
  }

  #field(): FieldUse | undefined {
    const { scanner } = this;
    const { place } = scanner;
    const name = scanner.take("field");
    if (name === undefined) return undefined;
    if (!scanner.symbol("[")) return Object.freeze({ kind: "field", name, place });
    const argument = scanner.quoted() ?? scanner.take("argument");
    if (argument === undefined) {
      throw scanner.error(`${scanner.next} where the argument of ${name} is expected`, `write ${name}[argument]`);
    }
    if (!scanner.symbol("]"))
      throw scanner.error(`${scanner.next} where "]" is expected`, `write ${name}[${argument}]`);
    return Object.freeze({ kind: "field", name, argument, place });
  }

  #transform(name: TransformName, place: Place): Transform {
    if (++this.#depth > maxDepth) {
      throw this.scanner.error(`transformers nested more than ${maxDepth} deep`, "use fewer");
    }
    const inputs: (Operand | Value | List)[] = [];
    do {
      this.scanner.blank();
      inputs.push(this.#input(name));
      this.scanner.blank();
    } while (this.scanner.symbol(","));
    this.#close();
    this.#depth--;
    return Object.freeze({ kind: "transform", name, inputs: Object.freeze(inputs), place });
  }

  #input(name: TransformName): Operand | Value | List {
    const operand = this.operand();
    if (operand) return operand;
    if (manyInputs.has(name)) {
      const { place } = this.scanner;
      if (this.scanner.symbol("(")) return this.#list(place);
      const value = this.#value();
      if (value) return value;
    }
    throw this.scanner.error(`${this.scanner.next} where ${name}() takes a field`, `write ${name}(proc.name)`);
  }

  #condition(left: Operand, place: Place): Check {
    const { scanner } = this;
    scanner.blank();
    const operator = this.#operator();
    if (operator === undefined) {
      const known = [...numberOperators, ...textOperators, ...listOperators].join(" ");
      throw scanner.error(`${scanner.next} where an operator is expected`, `one of exists ${known}`);
    }
    if (operator === "exists") return Object.freeze({ kind: "check", left, operator, place });
    scanner.blank();
    const modifier = isListOperator(operator) ? undefined : modifiers.find((item) => this.#modifierWord(item));
    const right = modifier !== undefined || isListOperator(operator) ? this.#listSide() : this.#oneSide(operator);
    return Object.freeze({ kind: "check", left, operator, right, ...(modifier && { modifier }), place });
  }

  #operator(): Operator | undefined {
    if (this.scanner.word("exists")) return "exists";
    const symbol = (["<=", "<", ">=", ">", "==", "=", "!="] as const).find((item) => this.scanner.symbol(item));
    if (symbol) return symbol;
    return [...textOperators, ...listOperators].find((item) => this.scanner.word(item));
  }

  /** A modifier is one only before a list; `= anyof` alone is a text. */
  #modifierWord(word: Modifier): boolean {
    const before = this.scanner.offset;
    if (this.scanner.word(word)) {
      this.scanner.blank();
      if (this.scanner.source.text[this.scanner.offset] === "(") return true;
    }
    this.scanner.offset = before;
    return false;
  }

  #oneSide(operator: Operator): Right {
    const { scanner } = this;
    const operand = this.#valueOf();
    if (operand) return operand;
    const { place } = scanner;
    if ((numberOperators as readonly string[]).includes(operator)) {
      // Texts can be ordered, too; libsinsp takes only numbers here.
      const text = scanner.take("number");
      if (text !== undefined) return Object.freeze({ kind: "value", text, quoted: false, place });
    }
    const value = this.#value();
    if (value) return value;
    throw scanner.error(
      `${scanner.next} where the value for ${operator} is expected`,
      "a word, a text in quotes, val(field) or a transformer",
    );
  }

  #listSide(): Right {
    const { scanner } = this;
    const { place } = scanner;
    if (scanner.symbol("(")) return this.#list(place);
    const operand = this.#valueOf();
    if (operand) return operand;
    const name = scanner.take("identifier");
    if (name !== undefined) {
      const item: Value = Object.freeze({ kind: "value", text: name, quoted: false, place });
      return Object.freeze({ kind: "list", items: Object.freeze([item]), place });
    }
    throw scanner.error(`${scanner.next} where a list is expected`, "write (a, b, c), or the name of a list");
  }

  /** `val(field)`, or a transformer. A bare field on the right is a text, as in Falco. */
  #valueOf(): Operand | undefined {
    const { scanner } = this;
    const { place } = scanner;
    if (!scanner.call("val")) {
      const name = transformNames.find((item) => scanner.call(item));
      return name === undefined ? undefined : this.#transform(name, place);
    }
    scanner.blank();
    const field = this.operand();
    if (!field) throw scanner.error(`${scanner.next} where val() takes a field`, "write val(proc.pname)");
    this.#close();
    return field;
  }

  #list(place: Place): List {
    const items: Value[] = [];
    this.scanner.blank();
    if (!this.scanner.symbol(")")) {
      for (;;) {
        this.scanner.blank();
        const item = this.#value();
        if (!item) {
          throw this.scanner.error(`${this.scanner.next} where an item is expected`, "write (a, b, c)");
        }
        items.push(item);
        this.scanner.blank();
        if (!this.scanner.symbol(",")) break;
      }
      this.#close();
    }
    return Object.freeze({ kind: "list", items: Object.freeze(items), place });
  }

  #value(): Value | undefined {
    const { scanner } = this;
    const { place } = scanner;
    const quoted = scanner.quoted();
    if (quoted !== undefined) return Object.freeze({ kind: "value", text: quoted, quoted: true, place });
    const text = scanner.take("bare");
    return text === undefined ? undefined : Object.freeze({ kind: "value", text, quoted: false, place });
  }
}

/** Transformers that take more than one input, constants and lists among them. */
const manyInputs: ReadonlySet<TransformName> = new Set(["join", "concat", "getopt"]);

export function isListOperator(operator: Operator): boolean {
  return (listOperators as readonly string[]).includes(operator);
}
