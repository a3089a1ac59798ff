import type { Expr, Place, Source, Value } from "../language/ast.ts";
import { ConditionError } from "../language/error.ts";
import { parseCondition, parseItem } from "../language/parser.ts";
import type { Definitions } from "./definitions.ts";
import type { Text } from "./item.ts";

/** What was written, and what was appended to it, as one text. */
export function joined(texts: readonly Text[]): Source {
  const [only] = texts;
  if (texts.length === 1 && only) return only.source;
  let end = 0;
  const parts = texts.map(({ source }) => {
    const start = end;
    end += source.text.length + 1;
    return { source, start };
  });
  return Object.freeze({
    text: texts.map(({ text }) => text).join(" "),
    origin: (offset: number) => {
      const part = parts.findLast(({ start }) => start <= offset) ?? parts[0];
      if (!part) throw new Error("a text without parts");
      return part.source.origin(offset - part.start);
    },
  });
}

/** What macros and lists stand for, each read once. Raises a `ConditionError` for what stands for itself. */
export class NameTable {
  readonly #definitions: Definitions;
  readonly #macros = new Map<string, Expr | ConditionError>();
  readonly #lists = new Map<string, readonly Value[]>();

  constructor(definitions: Definitions) {
    this.#definitions = definitions;
  }

  macro(name: string, place: Place): Expr {
    const macro = this.#definitions.macros.get(name);
    if (!macro) {
      const near = [...this.#definitions.macros.keys()].find((known) => known.toLowerCase() === name.toLowerCase());
      const remedy = near ? `is it ${near}?` : "define the macro, or write a field with an operator";
      throw new ConditionError(`there is no macro ${name}`, place, remedy);
    }
    macro.isUsed = true;
    const known = this.#macros.get(name) ?? this.#read(name, joined(macro.condition));
    if (known instanceof ConditionError) throw known;
    return known;
  }

  #read(name: string, condition: Source): Expr | ConditionError {
    let read: Expr | ConditionError;
    try {
      read = parseCondition(condition);
      this.#macros.set(name, read);
      read = this.#loop(read, [name]) ?? read;
    } catch (error) {
      if (!(error instanceof ConditionError)) throw error;
      read = error;
    }
    this.#macros.set(name, read);
    return read;
  }

  /** A macro on the path that is used again below it. */
  #loop(expr: Expr, path: readonly string[]): ConditionError | undefined {
    if (expr.kind === "check") return undefined;
    if (expr.kind === "not") return this.#loop(expr.part, path);
    if (expr.kind !== "macro") {
      for (const part of expr.parts) {
        const loop = this.#loop(part, path);
        if (loop) return loop;
      }
      return undefined;
    }
    if (path.includes(expr.name)) {
      const shown = [...path, expr.name].join(" → ");
      return new ConditionError(`a macro that stands for itself: ${shown}`, expr.place, "take one of them out");
    }
    // What has been read before has no loops.
    if (this.#macros.has(expr.name)) return undefined;
    const macro = this.#definitions.macros.get(expr.name);
    if (!macro) return undefined;
    macro.isUsed = true;
    const inner = parseCondition(joined(macro.condition));
    const loop = this.#loop(inner, [...path, expr.name]);
    this.#macros.set(expr.name, loop ?? inner);
    return loop;
  }

  list(name: string, place: Place, path: readonly string[] = []): readonly Value[] | undefined {
    const list = this.#definitions.lists.get(name);
    if (!list) return undefined;
    list.isUsed = true;
    if (path.includes(name)) {
      const shown = [...path, name].join(" → ");
      throw new ConditionError(`a list that holds itself: ${shown}`, place, "take one of them out");
    }
    const known = this.#lists.get(name);
    if (known) return known;
    const items = list.items.flatMap(({ source }) => {
      const item = parseItem(source);
      // A list may be named like a program in it: `- list: nc` with the item nc.
      if (item.quoted || item.text === name) return [item];
      return this.list(item.text, item.place, [...path, name]) ?? [item];
    });
    this.#lists.set(name, Object.freeze(items));
    return items;
  }
}
