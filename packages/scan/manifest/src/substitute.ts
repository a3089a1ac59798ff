/**
 * `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}` as BuildKit puts in values; what has none is left empty, and
 * said. Single quotes do not keep it back in instructions other than RUN.
 */
export function substitute(text: string, values: ReadonlyMap<string, string>): { text: string; unknown: string[] } {
  const unknown: string[] = [];
  const result = text.replaceAll(
    /\\(.)|\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^{}]*))?\})/g,
    (whole, escaped: string | undefined, plain?: string, braced?: string, operator?: string, word = "") => {
      if (escaped !== undefined) return escaped === "$" ? "$" : whole;
      const name = plain ?? braced ?? "";
      const value = values.get(name);
      const given = operator?.startsWith(":") === true ? value !== undefined && value !== "" : value !== undefined;
      if (operator?.endsWith("-") === true) return given ? (value ?? "") : String(word);
      if (operator?.endsWith("+") === true) return given ? String(word) : "";
      if (value === undefined) unknown.push(name);
      return value ?? "";
    },
  );
  return { text: result, unknown };
}
