import type { Severity } from "@bulwark/model";

/** Complete by its type: the model's own list would bring its schemas into the bundle. */
const ranks: Record<Severity, number> = { critical: 0, high: 1, medium: 2, low: 3, negligible: 4, unknown: 5 };
/** Worst first. */
export const severities = Object.keys(ranks) as Severity[];

/** What the address says, before it is checked. */
export type Raw = Record<string, unknown>;

export function text(value: unknown, longest = 256): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value.slice(0, longest) : undefined;
}

export function oneOf<T extends string>(allowed: readonly T[], value: unknown): T | undefined {
  return allowed.find((item) => item === value);
}

/** `critical,high`, in the order of `allowed`; everything else is passed over. */
export function manyOf<T extends string>(allowed: readonly T[], value: unknown): T[] | undefined {
  const words: unknown[] = Array.isArray(value) ? value : typeof value === "string" ? value.split(",") : [];
  const found = allowed.filter((item) => words.includes(item));
  return found.length > 0 ? found : undefined;
}

export function flag(value: unknown): true | undefined {
  return value === true || value === "true" ? true : undefined;
}

export function milliseconds(value: unknown): number | undefined {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** Without the keys that have no value, so that the address stays short. */
export function compact<T extends object>(search: T): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;
}

/** `?severity=critical,high&id=…`: plain text, nothing that needs JSON. */
export function parseSearch(search: string): Raw {
  return Object.fromEntries(new URLSearchParams(search));
}

export function stringifySearch(search: Raw): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (Array.isArray(value)) parts.set(name, value.join(","));
    else if (typeof value === "string" || typeof value === "number" || value === true) parts.set(name, String(value));
  }
  const result = parts
    .toString()
    .replaceAll("%2C", ",")
    .replaceAll("%3A", ":")
    .replaceAll("%2F", "/")
    .replaceAll("%40", "@");
  return result === "" ? "" : `?${result}`;
}
