/**
 * All that rules ask of the text of one field, answered in one pass over it: equal texts by a map, beginnings and endings
 * by trees of characters. The time depends on the text, not on how many questions there are.
 */
export class TextMatcher {
  readonly #exact = new Map<string, number[]>();
  readonly #starts = newNode();
  readonly #ends = newNode();
  #marks = new Uint32Array(16);
  #count = 0;
  #hasStarts = false;
  #hasEnds = false;

  /** A question; its number is asked for with `holds`. */
  add(kind: "equal" | "starts" | "ends", texts: readonly string[]): number {
    const id = this.#count++;
    if (id >= this.#marks.length) {
      const grown = new Uint32Array(this.#marks.length * 2);
      grown.set(this.#marks);
      this.#marks = grown;
    }
    for (const text of texts) {
      if (kind === "equal") push(this.#exact, text, id);
      else if (kind === "starts") insert(this.#starts, text, id);
      else insert(this.#ends, reversed(text), id);
    }
    this.#hasStarts ||= kind === "starts";
    this.#hasEnds ||= kind === "ends";
    return id;
  }

  /** Looks at a text; what holds of it is marked with `stamp`. */
  look(text: string, stamp: number): void {
    const marks = this.#marks;
    const equal = this.#exact.get(text);
    if (equal !== undefined) for (const id of equal) marks[id] = stamp;
    if (this.#hasStarts) {
      let node: Node | undefined = this.#starts;
      for (let at = 0; ; at++) {
        for (const id of node.ids) marks[id] = stamp;
        if (at >= text.length) break;
        node = child(node, text.charCodeAt(at));
        if (node === undefined) break;
      }
    }
    if (this.#hasEnds) {
      let node: Node | undefined = this.#ends;
      for (let at = text.length - 1; ; at--) {
        for (const id of node.ids) marks[id] = stamp;
        if (at < 0) break;
        node = child(node, text.charCodeAt(at));
        if (node === undefined) break;
      }
    }
  }

  holds(id: number, stamp: number): boolean {
    return this.#marks[id] === stamp;
  }
}

interface Node {
  /** Character codes and the nodes behind them, in parallel: most nodes have one, few more than four. */
  codes: number[];
  nodes: Node[];
  ids: number[];
}

function newNode(): Node {
  return { codes: [], nodes: [], ids: [] };
}

function child({ codes, nodes }: Node, code: number): Node | undefined {
  for (let at = 0; at < codes.length; at++) if (codes[at] === code) return nodes[at];
  return undefined;
}

function insert(root: Node, text: string, id: number): void {
  let node = root;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    let next = child(node, code);
    if (next === undefined) {
      next = newNode();
      node.codes.push(code);
      node.nodes.push(next);
    }
    node = next;
  }
  if (!node.ids.includes(id)) node.ids.push(id);
}

function reversed(text: string): string {
  let result = "";
  for (let at = text.length - 1; at >= 0; at--) result += text[at];
  return result;
}

function push(map: Map<string, number[]>, text: string, id: number): void {
  const known = map.get(text);
  if (known === undefined) map.set(text, [id]);
  else if (!known.includes(id)) known.push(id);
}
