import { isMap, isPair, isScalar, isSeq, type Node, type Scalar, type YAMLMap } from "yaml";
import type { Place, Source } from "../language/ast.ts";
import { problemAt, type ErrorCode, type Problem } from "../problem.ts";
import type { RuleFile } from "./yaml.ts";

/** Thrown by a reader for an item that cannot be used; the file's other items can. */
export class ItemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** A scalar with its place. */
export interface Text {
  readonly text: string;
  readonly source: Source;
  readonly place: Place;
}

export function isText(value: Text | readonly unknown[]): value is Text {
  return !Array.isArray(value);
}

/** One entry of a rule file, read key by key; keys that nobody asked for are told. */
export class Item {
  readonly file: RuleFile;
  readonly node: YAMLMap;
  /** For messages: `rule "x"`. */
  title: string;
  readonly #asked = new Set<string>();

  constructor(file: RuleFile, node: YAMLMap, title = "") {
    this.file = file;
    this.node = node;
    this.title = title;
  }

  get offset(): number {
    return this.node.range?.[0] ?? 0;
  }

  has(key: string): boolean {
    this.#asked.add(key);
    return this.node.has(key);
  }

  value(key: string): Node | undefined {
    this.#asked.add(key);
    return this.node.get(key, true);
  }

  /** A text that must not be empty; undefined where the key is absent. */
  text(key: string): Text | undefined {
    const node = this.value(key);
    if (node === undefined) return undefined;
    const told = this.scalar(node, `"${key}"`);
    if (told.text.trim() === "") throw this.error(node, `"${key}" is empty`, "give it a value, or leave the key out");
    return told;
  }

  needed(key: string, remedy: string): Text {
    const text = this.text(key);
    if (text) return text;
    throw this.error(this.node, `without "${key}"`, remedy);
  }

  scalar(node: unknown, what: string): Text {
    if (!isScalar(node)) throw this.error(node as Node, `${what} is no single value`, "write one text");
    const text = scalarText(node);
    const source = this.file.source(node, text);
    return { text, source, place: Object.freeze({ source, offset: 0 }) };
  }

  boolean(key: string): boolean | undefined {
    const told = this.text(key);
    if (told === undefined) return undefined;
    // As YAML 1.1 has them, which Falco's reader takes.
    const value = booleans.get(told.text.toLowerCase());
    if (value !== undefined) return value;
    throw this.error(this.value(key), `"${key}" is neither true nor false`, "write true or false");
  }

  texts(key: string): Text[] | undefined {
    const node = this.value(key);
    if (node === undefined) return undefined;
    if (!isSeq(node)) throw this.error(node, `"${key}" is no list`, `write ${key}: [a, b]`);
    return node.items.map((item) => this.scalar(item, `an item of "${key}"`));
  }

  map(key: string): Item | undefined {
    const node = this.value(key);
    if (node === undefined) return undefined;
    if (!isMap(node)) throw this.error(node, `"${key}" is no mapping`, `write ${key}: {name: value}`);
    return new Item(this.file, node, this.title);
  }

  maps(key: string): Item[] | undefined {
    const node = this.value(key);
    if (node === undefined || (isScalar(node) && node.value === null)) return undefined;
    if (!isSeq(node)) throw this.error(node, `"${key}" is no list`, "write a list of mappings");
    return node.items.map((item) => {
      if (isMap(item)) return new Item(this.file, item, this.title);
      throw this.error(item as Node, `an item of "${key}" is no mapping`, "write - name: …");
    });
  }

  keys(): { name: string; offset: number }[] {
    return this.node.items.flatMap((pair) => {
      if (!isPair(pair) || !isScalar(pair.key)) return [];
      return [{ name: String(pair.key.value), offset: (pair.key as Node).range?.[0] ?? this.offset }];
    });
  }

  unasked(): { name: string; offset: number }[] {
    return this.keys().filter(({ name }) => !this.#asked.has(name));
  }

  error(
    node: Node | undefined,
    message: string,
    remedy: string,
    code: ErrorCode = "LOAD_ERR_YAML_VALIDATE",
  ): ItemError {
    return new ItemError(this.problem(node?.range?.[0] ?? this.offset, code, message, remedy));
  }

  problem(offset: number, code: Problem["code"], message: string, remedy: string): Problem {
    return problemAt(this.file.origin(offset), code, { message, remedy, item: this.title });
  }
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...["true", "yes", "on", "y"].map((word) => [word, true] as const),
  ...["false", "no", "off", "n"].map((word) => [word, false] as const),
]);

/** As it stands in the file, before YAML makes a number or a date of it: `0.10` is a version. */
function scalarText(node: Scalar): string {
  if (node.value === null) return "";
  if (typeof node.value === "string") return node.value;
  return typeof node.source === "string" ? node.source : JSON.stringify(node.value);
}
