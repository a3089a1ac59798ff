import { isAlias, isCollection, isPair, isScalar, isSeq, parseAllDocuments, Scalar, type Node } from "yaml";
import type { Origin, Source } from "../language/ast.ts";
import { problemAt, type Problem } from "../problem.ts";

/** A rule file: its name is for messages. */
export interface RuleDocument {
  readonly name: string;
  readonly text: string;
}

const limits = { characters: 4 << 20, depth: 32, nodes: 200_000 };

/** A parsed file that can say where a node stands. */
export class RuleFile {
  readonly name: string;
  readonly text: string;
  /** The entries of the list that a rule file is. */
  readonly items: readonly Node[];
  /** What keeps the file from being read. */
  readonly problem: Problem | undefined;

  constructor({ name, text }: RuleDocument) {
    this.name = name;
    this.text = text;
    const read = readItems(text);
    this.items = read.items;
    const { broken } = read;
    this.problem = broken && problemAt(this.origin(broken.offset), "LOAD_ERR_YAML_PARSE", { item: "", ...broken });
  }

  origin(offset: number): Origin {
    return { file: this.name, content: this.text, offset: Math.min(offset, this.text.length) };
  }

  /** The text of a scalar, whose offsets can be told as places of the file. */
  source(node: Scalar, text: string): Source {
    let positions: Uint32Array | undefined;
    return Object.freeze({
      text,
      origin: (offset: number) => {
        positions ??= alignment(text, this.text, node);
        return this.origin(positions[Math.min(offset, text.length)] ?? 0);
      },
    });
  }
}

interface Broken {
  readonly offset: number;
  readonly message: string;
  readonly remedy: string;
}

function readItems(text: string): { items: readonly Node[]; broken?: Broken } {
  const broken = (offset: number, message: string, remedy: string) => ({
    items: [],
    broken: { offset, message, remedy },
  });
  if (text.length > limits.characters) {
    return broken(0, `the file has more than ${limits.characters} characters`, "split it");
  }
  const items: Node[] = [];
  let count = 0;
  const documents = parseAllDocuments(text, { prettyErrors: false });
  for (const document of Array.isArray(documents) ? documents : []) {
    const [error] = document.errors;
    // The library is recursive, and reports its full stack as an error of the document.
    if (error && /call stack/.test(error.message))
      return broken(0, `nested more than ${limits.depth} deep`, "flatten it");
    if (error) return broken(error.pos[0], error.message, "see that it is YAML: indentation, quotes, colons");
    const { contents } = document;
    if (contents === null || (isScalar(contents) && contents.value === null)) continue;
    if (!isSeq(contents)) {
      const offset = contents.range?.[0] ?? 0;
      return broken(
        offset,
        "a rule file is a list of rules, macros and lists",
        'begin each with "- rule:" and the like',
      );
    }
    const bad = tooMuch(contents, 0, () => ++count > limits.nodes);
    if (bad) return broken(bad.node.range?.[0] ?? 0, bad.message, bad.remedy);
    items.push(...(contents.items as Node[]));
  }
  return { items };
}

/** Depth, number of nodes, and aliases: nothing in a rule file needs them, and they multiply. */
function tooMuch(
  node: unknown,
  depth: number,
  isOver: () => boolean,
): { node: Node; message: string; remedy: string } | undefined {
  if (isPair(node)) return tooMuch(node.key, depth, isOver) ?? tooMuch(node.value, depth, isOver);
  if (isAlias(node)) return { node, message: "an alias (*name)", remedy: "write out what it stands for" };
  if (!isScalar(node) && !isCollection(node)) return undefined;
  if (isOver()) return { node, message: `more than ${limits.nodes} values in one file`, remedy: "split the file" };
  if (!isCollection(node)) return undefined;
  if (depth >= limits.depth) return { node, message: `nested more than ${limits.depth} deep`, remedy: "flatten it" };
  for (const item of node.items) {
    const bad = tooMuch(item, depth + 1, isOver);
    if (bad) return bad;
  }
  return undefined;
}

/**
 * For each offset of a scalar's text the offset in the file. YAML folds lines and strips indentation, but keeps every
 * character that is no blank in its order, so the two are walked side by side.
 */
function alignment(text: string, file: string, node: Scalar): Uint32Array {
  const [start = 0, end = file.length] = node.range ?? [];
  let at = start;
  const isBlock = node.type === Scalar.BLOCK_FOLDED || node.type === Scalar.BLOCK_LITERAL;
  const isQuoted = node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE;
  if (isBlock) at = file.indexOf("\n", start) + 1;
  if (isQuoted) at = start + 1;
  const positions = new Uint32Array(text.length + 1);
  for (let index = 0; index < text.length; index++) {
    if (/\s/.test(text[index] ?? "")) {
      positions[index] = at;
      continue;
    }
    while (at < end && /\s/.test(file[at] ?? "")) at++;
    if (node.type === Scalar.QUOTE_DOUBLE && file[at] === "\\") {
      positions[index] = at;
      at += 2;
      continue;
    }
    positions[index] = at;
    at += node.type === Scalar.QUOTE_SINGLE && file[at] === "'" ? 2 : 1;
  }
  // Behind the text, but not behind the blanks that follow it.
  positions[text.length] = Math.min(at, end);
  return positions;
}
