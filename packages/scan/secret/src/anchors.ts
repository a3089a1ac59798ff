/** A literal, as Latin-1 text of at least three characters. */
export interface Anchor {
  readonly text: string;
  /** Whether capital and small letters of ASCII are the same. */
  readonly fold: boolean;
}

/** Finds many literals in one pass over bytes, whatever their number. */
export interface Anchors {
  /** Calls for every occurrence that begins from `from` on and ends before `to`, in order; `false` stops, and is the answer. */
  scan(content: Uint8Array, from: number, to: number, found: (anchor: number, start: number) => boolean): boolean;
}

/** Fifteen bits of three bytes: small letters of English are told apart without collisions. */
const hashMask = 0x7fff;

/**
 * Passes over two bytes at a time where no literal has the next two in its beginning (Wu and Manber 1994, blocks of two bytes,
 * beginnings of three); where some literal begins there, those few are compared. Anchors are known by their place in the list.
 */
export function compileAnchors(anchors: readonly Anchor[]): Anchors {
  const compiled = anchors.map(({ text, fold }) => ({
    small: Buffer.from(fold ? text.toLowerCase() : text, "latin1"),
    large: Buffer.from(fold ? text.toUpperCase() : text, "latin1"),
  }));
  /** By the second and third byte: how far the next place is at which a literal may begin. */
  const shifts = new Uint8Array(65_536).fill(2);
  const buckets = new Map<number, number[]>();
  compiled.forEach(({ small, large }, index) => {
    for (const [first, second, third] of beginnings(small, large)) {
      const [before, pair] = [(first << 8) | second, (second << 8) | third];
      shifts[before] = Math.min(shifts[before] ?? 0, 1);
      shifts[pair] = 0;
      const hash = hashOf(first, pair);
      const bucket = buckets.get(hash) ?? [];
      if (!bucket.includes(index)) buckets.set(hash, [...bucket, index]);
    }
  });
  // The hash has told three bytes; most that begin alike differ in the fourth. A literal of three takes any.
  const [fourths, otherFourths] = (["small", "large"] as const).map((key) =>
    Int16Array.from(compiled, ({ [key]: bytes }) => bytes[3] ?? -1),
  ) as [Int16Array, Int16Array];
  /** By hash: the place of its bucket and one; none is 0. */
  const places = new Uint16Array(hashMask + 1);
  const lists = [...buckets].map(([hash, list], at) => {
    places[hash] = at + 1;
    return list;
  });

  return {
    scan(content, from, to, found) {
      for (let at = from; at + 2 < to;) {
        const pair = ((content[at + 1] as number) << 8) | (content[at + 2] as number);
        const shift = shifts[pair] as number;
        if (shift !== 0) {
          at += shift;
          continue;
        }
        const place = places[hashOf(content[at] as number, pair)] as number;
        if (place !== 0) {
          const fourth = at + 3 < to ? (content[at + 3] as number) : -1;
          for (const index of lists[place - 1] as number[]) {
            if (fourths[index] !== fourth && otherFourths[index] !== fourth && fourths[index] !== -1) continue;
            const { small, large } = compiled[index] as (typeof compiled)[number];
            if (at + small.length <= to && isAt(content, at, small, large) && !found(index, at)) return false;
          }
        }
        at++;
      }
      return true;
    },
  };
}

function hashOf(first: number, pair: number): number {
  return ((first << 10) ^ (pair >> 3) ^ pair) & hashMask;
}

/** The first three bytes, in all their cases. */
function beginnings(small: Buffer, large: Buffer): [first: number, second: number, third: number][] {
  const cases = (at: number): number[] => [...new Set([small[at] ?? 0, large[at] ?? 0])];
  return cases(0).flatMap((first) =>
    cases(1).flatMap((second) => cases(2).map((third): [number, number, number] => [first, second, third])),
  );
}

/** From the end: of the beginning, the hash has told already. */
function isAt(content: Uint8Array, start: number, small: Buffer, large: Buffer): boolean {
  const { length } = small;
  for (let at = length - 1; at >= 0; at--) {
    const byte = content[start + at];
    if (byte !== small[at] && byte !== large[at]) return false;
  }
  return true;
}
