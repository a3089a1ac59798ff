/** JSON, a byte order mark before it or not. */
export function parseJson(content: Buffer): unknown {
  return JSON.parse(withoutMark(content));
}

/** JSON with comments and commas before closing brackets. */
export function parseLooseJson(content: Buffer): unknown {
  const cleaned = withoutMark(content).replaceAll(loose, (match) => (match.startsWith('"') ? match : ""));
  return JSON.parse(cleaned);
}
/** A string; or what JSON does not have: a comment, a last comma. */
const loose = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[^]*?\*\/|,(?=\s*[}\]])/g;

/** As text, without the byte order mark. */
export function withoutMark(content: Buffer): string {
  const text = content.toString("utf8");
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

/** The value where it is an object, else an empty one. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** The value where it is a list, else an empty one. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value where it is a text that says something. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
