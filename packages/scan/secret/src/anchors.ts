/**
 * Finds many literals in one pass over bytes (Aho and Corasick 1975), as a dense table: one look-up for each byte,
 * whatever the number of literals. Capital letters of ASCII count as small ones; who cares about case compares again.
 */
export interface Anchors {
  /** Calls for every occurrence from `from` to `to`, in the order of their ends; `false` stops, and is the answer. */
  scan(content: Uint8Array, from: number, to: number, found: (anchor: number, start: number) => boolean): boolean;
}

interface State {
  readonly next: Map<number, State>;
  readonly depth: number;
  fail: State | undefined;
  /** Literals that end here, their own and those of its suffixes. */
  ends: number[];
  row: number;
}

/** `literals` are bytes as Latin-1 text, none of them empty; they are known by their place in the list. */
export function compileAnchors(literals: readonly string[]): Anchors {
  const folded = literals.map((literal) => literal.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()));
  const { root, states } = buildTrie(folded);
  const { classes, width } = byteClasses(folded);
  // States at which something ends come last: one comparison tells them apart.
  const ordered = [...states.filter(({ ends }) => ends.length === 0), ...states.filter(({ ends }) => ends.length > 0)];
  ordered.forEach((state, index) => (state.row = index * width));
  const firstEnd = ordered.findIndex(({ ends }) => ends.length > 0) * width;
  const table = new Int32Array(ordered.length * width);
  for (const state of ordered) {
    for (let byte = 0; byte < 256; byte++) table[state.row + (classes[byte] ?? 0)] = step(state, fold(byte)).row;
  }
  const start = root.row;
  const ends = ordered.map((state) => state.ends);
  const lengths = literals.map(({ length }) => length);

  return {
    scan(content, from, to, found) {
      let row = start;
      for (let at = from; at < to; at++) {
        row = table[row + (classes[content[at] as number] as number)] as number;
        if (row < firstEnd) continue;
        for (const anchor of ends[row / width] ?? []) {
          if (!found(anchor, at + 1 - (lengths[anchor] ?? 0))) return false;
        }
      }
      return true;
    },
  };
}

function buildTrie(literals: readonly string[]): { root: State; states: State[] } {
  const root: State = { next: new Map(), depth: 0, fail: undefined, ends: [], row: 0 };
  const states = [root];
  literals.forEach((literal, anchor) => {
    let state = root;
    for (const byte of Buffer.from(literal, "latin1")) {
      let next = state.next.get(byte);
      if (!next) {
        next = { next: new Map(), depth: state.depth + 1, fail: undefined, ends: [], row: 0 };
        state.next.set(byte, next);
        states.push(next);
      }
      state = next;
    }
    state.ends.push(anchor);
  });
  // Breadth first, so that what a state falls back to is finished before it.
  states.sort((a, b) => a.depth - b.depth);
  for (const state of states) {
    for (const [byte, next] of state.next) {
      next.fail = state.fail ? step(state.fail, byte) : root;
      next.ends = [...next.ends, ...next.fail.ends];
    }
  }
  return { root, states };
}

function step(from: State, byte: number): State {
  for (let state: State | undefined = from; state; state = state.fail) {
    const next = state.next.get(byte);
    if (next) return next;
    if (!state.fail) return state;
  }
  return from;
}

/** Bytes that no literal holds are one class, which keeps the table small enough for the processor's cache. */
function byteClasses(literals: readonly string[]): { classes: Uint8Array; width: number } {
  const used = [...new Set(literals.flatMap((literal) => [...Buffer.from(literal, "latin1")]))];
  const classes = new Uint8Array(256);
  used.forEach((byte, index) => (classes[byte] = index + 1));
  for (let byte = 65; byte <= 90; byte++) classes[byte] = classes[byte + 32] ?? 0;
  return { classes, width: used.length + 1 };
}

function fold(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}
