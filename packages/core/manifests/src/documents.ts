/** One document of a YAML text, as it stands there. */
export interface Part {
  /** Without the mark that opens it. */
  readonly text: string;
  /** From 0, documents with nothing in them left out. */
  readonly index: number;
  /** Lines before it. */
  readonly offset: number;
  /** Its first line stands behind `---`. */
  readonly marked: boolean;
  readonly lines: number;
}

/** Documents apart before any is read, so that a broken one spoils no other. https://yaml.org/spec/1.2.2/#92-streams */
export function documents(text: string): Part[] {
  const parts: Part[] = [];
  let lines: string[] = [];
  let offset = 0;
  let marked = false;
  const all = text.split("\n");
  function close(next: number): void {
    if (lines.some((line) => /\S/.test(line))) {
      parts.push({ text: lines.join("\n"), index: parts.length, offset, marked, lines: lines.length });
    }
    lines = [];
    offset = next;
    marked = false;
  }
  for (const [number, line] of all.entries()) {
    if (/^---(?:\s|$)/.test(line)) {
      close(number);
      marked = true;
      // What stands behind the mark belongs to the document that it opens.
      lines.push(line.slice(3));
    } else if (/^\.\.\.(?:\s|$)/.test(line)) close(number + 1);
    else lines.push(/^%[A-Z]/.test(line) && lines.every((before) => !/\S/.test(before)) ? "" : line);
  }
  close(all.length);
  return parts;
}
