/** Sentences of alerts, `{name}` where a word comes from what happened, to the same sentence in the reader's language. */
export type Phrases = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * A sentence in the reader's language, by the first of a list that it fits; as it came where none does. What was found at
 * a place is looked up by the name of the place in turn. Every place is found once: who writes a part of the text himself
 * cannot make it slow.
 */
export function phrase(phrases: Phrases, list: string, text: string): string {
  for (const [pattern, translation] of Object.entries(phrases[list] ?? {})) {
    const found = fit(pattern, text);
    if (found)
      return translation.replaceAll(/\{(\w+)\}/g, (_, name: string) => phrase(phrases, name, found[name] ?? ""));
  }
  return text;
}

function fit(pattern: string, text: string): Record<string, string> | undefined {
  const [start = "", ...rest] = pattern.split(/\{(\w+)\}/);
  if (rest.length === 0) return pattern === text ? {} : undefined;
  if (!text.startsWith(start)) return undefined;
  const found: Record<string, string> = {};
  let from = start.length;
  for (let index = 0; index < rest.length; index += 2) {
    const [name = "", literal = ""] = rest.slice(index, index + 2);
    const isLast = index + 2 >= rest.length;
    const to = isLast ? text.length - literal.length : text.indexOf(literal, from);
    if (to <= from || (isLast && !text.endsWith(literal))) return undefined;
    found[name] = text.slice(from, to);
    from = to + literal.length;
  }
  return found;
}
