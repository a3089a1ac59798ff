import { RE2JS } from "re2js";
import { failure } from "./errors.ts";

/** Patterns repeat: those of policies are constants. The oldest goes first. */
const cache = new Map<string, RE2JS>();
const maxCached = 500;

/** A pattern of RE2: linear in time, whatever the text. Raises a `CelError` for what is none. */
export function regex(pattern: string): RE2JS {
  const known = cache.get(pattern);
  if (known) return known;
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    throw failure(`no regular expression: ${error instanceof Error ? error.message : String(error)}`);
  }
  const [oldest] = cache.keys();
  if (cache.size >= maxCached && oldest !== undefined) cache.delete(oldest);
  cache.set(pattern, compiled);
  return compiled;
}

/** Whether some part of the text matches. */
export function matches(text: string, pattern: string): boolean {
  if (text.length > longest) return regex(pattern).matcher(text).find();
  let known = verdicts.get(pattern);
  const verdict = known?.get(text);
  if (verdict !== undefined) return verdict;
  const found = regex(pattern).matcher(text).find();
  if (!known || known.size >= maxTexts) {
    if (!known && verdicts.size >= maxCached) verdicts.clear();
    known = new Map();
    verdicts.set(pattern, known);
  }
  known.set(text, found);
  return found;
}

/** Texts repeat too, as names of images do: those of late are remembered by pattern, as far as they are short. */
const verdicts = new Map<string, Map<string, boolean>>();
const longest = 200;
const maxTexts = 50;

/** The parts that match, at most `limit` of them. */
export function findAll(text: string, pattern: string, limit = Infinity): string[] {
  const matcher = regex(pattern).matcher(text);
  const found: string[] = [];
  let end = -1;
  while (found.length < limit && matcher.find()) {
    const part = matcher.group() ?? "";
    // As in Go: an empty match right behind another is none.
    if (part !== "" || matcher.start() !== end) found.push(part);
    end = matcher.end();
  }
  return found;
}
