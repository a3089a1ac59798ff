import parse from "spdx-expression-parse";
import identifiers from "spdx-license-ids/index.json" with { type: "json" };
import deprecated from "spdx-license-ids/deprecated.json" with { type: "json" };
import { spoken } from "./licence-names.ts";

const byLowerCase = new Map([...deprecated, ...identifiers].map((id) => [id.toLowerCase(), id]));
const textLimit = 256;
const countLimit = 64;

/**
 * What packages say of their licences as SPDX expressions, https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/.
 * A text that is none, and is not known to mean one, stays as it is written.
 */
export function licencesOf(texts: readonly string[]): string[] {
  const found = new Set<string>();
  for (const text of texts) {
    const trimmed = text.trim().slice(0, textLimit);
    if (trimmed !== "" && !/^(?:unknown|none|noassertion|custom|\(none\)|unlicensed)$/i.test(trimmed))
      found.add(licenceOf(trimmed));
  }
  return [...found].slice(0, countLimit);
}

function licenceOf(text: string): string {
  const id = identifierOf(text);
  if (id !== undefined) return id;
  const expression = expressionOf(text);
  return expression !== undefined && isSpdx(expression) ? expression : text;
}

/** Is it an SPDX expression? */
export function isSpdx(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Is it the identifier of one licence of SPDX's list? */
export function isLicenceId(text: string): boolean {
  return byLowerCase.get(text.toLowerCase()) === text;
}

function identifierOf(text: string): string | undefined {
  const key = text.toLowerCase();
  return (
    byLowerCase.get(key) ?? spoken.get(key) ?? spoken.get(key.replaceAll(/^the |[,.]|,? ?licen[sc]e$/g, "").trim())
  );
}

/** The names in `GPLv2+ and (MIT or BSD)` one by one, the words between them as SPDX writes them. */
function expressionOf(text: string): string | undefined {
  const parts: string[] = [];
  let name: string[] = [];
  const flush = (): boolean => {
    if (name.length === 0) return true;
    const id = identifierOf(name.join(" "));
    name = [];
    if (id === undefined) return false;
    parts.push(id.includes(" ") ? `(${id})` : id);
    return true;
  };
  const words = text.match(/[()]|[^\s()]+/g) ?? [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "(" || word === ")") {
      if (!flush()) return undefined;
      parts.push(word);
    } else if (/^(?:and|&|or|\||\|\|)$/i.test(word)) {
      if (!flush()) return undefined;
      parts.push(/^(?:and|&)$/i.test(word) ? "AND" : "OR");
    } else if (/^with$/i.test(word) && words[at + 1] !== undefined) {
      if (!flush()) return undefined;
      parts.push("WITH", words[++at] ?? "");
    } else name.push(word);
  }
  return flush() ? parts.join(" ").replaceAll("( ", "(").replaceAll(" )", ")") : undefined;
}
