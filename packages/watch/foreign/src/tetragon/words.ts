import { cut } from "../json.ts";

const longest = 16_384;
const most = 256;

/**
 * The words of a command line that Tetragon has joined: with blanks, and in quotes those that have a blank in them or
 * nothing at all. A quote ends where a blank or the line's end follows it.
 */
export function wordsOf(line: string): { words: string[]; isCut: boolean } {
  const text = cut(line, longest);
  const words: string[] = [];
  let at = 0;
  while (at < text.length && words.length < most) {
    const end = text[at] === '"' ? quoteEnd(text, at + 1) : -1;
    const inside = end < 0 ? "" : text.slice(at + 1, end);
    if (end >= 0 && (inside === "" || inside.includes(" "))) {
      words.push(inside);
      at = end + 2;
    } else {
      const blank = text.indexOf(" ", at);
      const stop = blank < 0 ? text.length : blank;
      words.push(text.slice(at, stop));
      at = stop + 1;
    }
  }
  return { words, isCut: line.length > longest || at < text.length };
}

function quoteEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    if (at + 1 === text.length || text[at + 1] === " ") return at;
  }
  return -1;
}
