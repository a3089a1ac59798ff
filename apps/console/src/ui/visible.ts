export interface Piece {
  text: string;
  /** The text stands for a character that cannot be seen, or that would change how its neighbours are shown. */
  hidden: boolean;
}

/**
 * Control characters, line ends, characters without width, and those that turn the direction of writing (CVE-2021-42574):
 * text from inside a container must not be able to look like other text.
 */
const hidden = new RegExp(
  `[${[
    String.raw`\u0000-\u001f\u007f-\u00a0\u00ad`, // C0, C1, no-break space, soft hyphen
    String.raw`\u061c\u200b-\u200f\u2028-\u202f\u205f-\u206f`, // without width, line ends, direction of writing
    String.raw`\u115f\u1160\u3164\uffa0`, // fillers of Hangul
    String.raw`\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f`, // variation selectors and the like
    String.raw`\ufeff\ufff9-\ufffc\ud800-\udfff`, // byte order mark, annotations, halves of pairs
    String.raw`\u{e0000}-\u{e0fff}`, // tags
  ].join("")}]`,
  "gu",
);

export function pieces(text: string): Piece[] {
  const result: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(hidden)) {
    if (match.index > end) result.push({ text: text.slice(end, match.index), hidden: false });
    result.push({ text: name(match[0]), hidden: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) result.push({ text: text.slice(end), hidden: false });
  return result;
}

/** The same as plain text, for titles and labels. */
export function visible(text: string): string {
  return pieces(text)
    .map((piece) => piece.text)
    .join("");
}

const names: Record<string, string> = {
  "\n": String.raw`\n`,
  "\r": String.raw`\r`,
  "\t": String.raw`\t`,
  "\u001b": String.raw`\e`,
};

function name(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return names[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 4)}}`);
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}
