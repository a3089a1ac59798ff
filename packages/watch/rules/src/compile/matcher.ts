/**
 * All that rules look for in the text of one field, found in one pass over it: equal texts by a map, beginnings and endings
 * by trees of characters, parts by one expression. The time depends on the text, not on how many questions there are.
 */
export class TextMatcher {
  readonly #equal = new Map<string, number[]>();
  /** By length and last character: whether one of them may be equal. A map has to look at the whole text first. */
  readonly #mayEqual = new Uint8Array(shapes);
  readonly #starts = newNode();
  readonly #ends = newNode();
  readonly #parts = new Map<string, number[]>();
  #anyPart: RegExp | undefined;

  /** `id` is found where a text is equal to another one, starts or ends with it, or holds it. */
  add(kind: "equal" | "starts" | "ends" | "holds", text: string, id: number): void {
    if (kind === "equal") {
      push(this.#equal, text, id);
      this.#mayEqual[shapeOf(text)] = 1;
    } else if (kind === "starts") insert(this.#starts, text, id);
    else if (kind === "ends") insert(this.#ends, reversed(text), id);
    else {
      push(this.#parts, text, id);
      this.#anyPart = new RegExp([...this.#parts.keys()].map(escaped).join("|"));
    }
  }

  /** Tells what is found in a text; the same may be told more than once. */
  look(text: string, tell: (id: number) => void): void {
    if (this.#mayEqual[shapeOf(text)] === 1) for (const id of this.#equal.get(text) ?? []) tell(id);
    let node: Node | undefined = this.#starts;
    for (let at = 0; node !== undefined; at++) {
      for (const id of node.ids) tell(id);
      node = at < text.length ? child(node, text.charCodeAt(at)) : undefined;
    }
    node = this.#ends;
    for (let at = text.length - 1; node !== undefined; at--) {
      for (const id of node.ids) tell(id);
      node = at >= 0 ? child(node, text.charCodeAt(at)) : undefined;
    }
    if (this.#anyPart?.test(text) !== true) return;
    for (const [part, ids] of this.#parts) if (text.includes(part)) for (const id of ids) tell(id);
  }
}

const shapes = 1024;

function shapeOf(text: string): number {
  const { length } = text;
  return length === 0 ? 0 : (length % 32) * 32 + (text.charCodeAt(length - 1) % 32);
}

interface Node {
  /** Character codes and the nodes behind them, in parallel: most nodes have one. */
  codes: number[];
  nodes: Node[];
  /** The same by ASCII code, of those that have many. */
  byCode: (Node | undefined)[] | undefined;
  ids: number[];
}

const many = 4;

function newNode(): Node {
  return { codes: [], nodes: [], byCode: undefined, ids: [] };
}

function child({ codes, nodes, byCode }: Node, code: number): Node | undefined {
  if (byCode !== undefined && code < byCode.length) return byCode[code];
  for (let at = 0; at < codes.length; at++) if (codes[at] === code) return nodes[at];
  return undefined;
}

function append(node: Node, code: number): Node {
  const added = newNode();
  node.codes.push(code);
  node.nodes.push(added);
  if (node.codes.length > many) {
    node.byCode ??= Array.from<Node | undefined>({ length: 128 }).fill(undefined);
    node.codes.forEach((known, at) => {
      if (node.byCode !== undefined && known < node.byCode.length) node.byCode[known] = node.nodes[at];
    });
  }
  return added;
}

function insert(root: Node, text: string, id: number): void {
  let node = root;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    node = child(node, code) ?? append(node, code);
  }
  if (!node.ids.includes(id)) node.ids.push(id);
}

function reversed(text: string): string {
  let result = "";
  for (let at = text.length - 1; at >= 0; at--) result += text[at];
  return result;
}

/** As it stands, in a regular expression. */
function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function push(map: Map<string, number[]>, text: string, id: number): void {
  const known = map.get(text);
  if (known === undefined) map.set(text, [id]);
  else if (!known.includes(id)) known.push(id);
}
