/** `find` and `findAll` (kubernetes.regex). */
import { define, type Overload } from "../environment.ts";
import { regexCost } from "../libraries/standard.ts";
import { findAll } from "../regex.ts";
import type { Int } from "../values.ts";

export const kubernetesRegex: readonly Overload[] = [
  define(
    "(string).find(string): string",
    (text: string, pattern: string) => findAll(text, pattern, 1)[0] ?? "",
    regexCost,
  ),
  define(
    "(string).findAll(string): list<string>",
    (text: string, pattern: string) => findAll(text, pattern),
    regexCost,
  ),
  define(
    "(string).findAll(string, int): list<string>",
    (text: string, pattern: string, limit: Int) => findAll(text, pattern, limit < 0 ? Infinity : Number(limit)),
    regexCost,
  ),
];
