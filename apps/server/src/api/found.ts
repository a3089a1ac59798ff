import { Refusal } from "../http/problem.ts";

/** `value`, or a refusal with `not-found`. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Refusal("not-found", `there is no such ${what}`);
  return value;
}
