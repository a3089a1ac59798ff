import { printable } from "@bulwark/model/plain";

/** Columns of a terminal that everybody has. */
export const width = 80;

/** As much of a foreign text as fits; a cut is shown. */
export function cut(text: string, most: number): string {
  const clean = printable(text);
  return clean.length <= most ? clean : `${clean.slice(0, most - 1)}…`;
}

/** Broken at blanks into lines that begin with `indent`. */
export function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of printable(text).split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => cut(indent + one, width)).join("\n");
}
