/**
 * Stanzas of `Key: value` lines, parted by blank lines: Debian's control files, Python's METADATA, R's DESCRIPTION,
 * a manifest of Java. A line that begins with a blank goes on with the value before. The first of two equal keys counts.
 * https://www.debian.org/doc/debian-policy/ch-controlfields.html
 */
export function* stanzas(text: string): Generator<Map<string, string>> {
  let fields = new Map<string, string>();
  let key: string | undefined;
  for (const line of lines(text)) {
    if (line.trim() === "") {
      if (fields.size > 0) yield fields;
      fields = new Map();
      key = undefined;
    } else if (line[0] === " " || line[0] === "\t") {
      if (key !== undefined) append(fields, key, line.trim());
    } else {
      const colon = line.indexOf(":");
      key = colon > 0 ? line.slice(0, colon) : undefined;
      if (key !== undefined && fields.has(key)) key = undefined;
      if (key !== undefined) fields.set(key, line.slice(colon + 1).trim());
    }
  }
  if (fields.size > 0) yield fields;
}

/** What one field of a package may hold; nothing that we read is longer. */
const valueLimit = 65_536;

function append(fields: Map<string, string>, key: string, more: string): void {
  const value = fields.get(key) ?? "";
  if (value.length < valueLimit) fields.set(key, `${value}\n${more}`);
}

/** Lines without their ends, one at a time. */
export function* lines(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found;
    yield text.slice(start, text[end - 1] === "\r" ? end - 1 : end);
    start = end + 1;
  }
}
