/** An object as it was parsed; nothing in it is trusted. */
export type Json = Readonly<Record<string, unknown>>;

/** What is wrong with a line, in words for a person. */
export class BrokenLine extends Error {}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objectAt(value: unknown): Json {
  return isObject(value) ? value : {};
}

export function objectsAt(value: unknown, most: number): Json[] {
  return Array.isArray(value) ? value.slice(0, most).filter(isObject) : [];
}

/** Empty where there is none. */
export function textAt(value: unknown, longest = 4096): string {
  return typeof value === "string" ? cut(value, longest) : "";
}

/** A copy where something is cut off: a part of a text holds all of it in memory. */
export function cut(text: string, longest: number): string {
  return text.length <= longest ? text : Buffer.from(text.slice(0, longest), "utf16le").toString("utf16le");
}

/** JSON of protocol buffers has 64-bit numbers as texts. */
export function bigAt(value: unknown): bigint | undefined {
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  return typeof value === "string" && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}

/** A number of 32 bits that is not negative. */
export function numberAt(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff ? value : undefined;
}

/** Nanoseconds since the epoch, of a time as RFC 3339 has it. */
export function nanosecondsAt(value: unknown): bigint | undefined {
  const match = typeof value === "string" ? time.exec(value) : null;
  if (!match) return undefined;
  const [, second = "", fraction = "", zone = ""] = match;
  const milliseconds = Date.parse(`${second}${zone.replace(/(\d\d)(\d\d)$/, "$1:$2")}`);
  return Number.isNaN(milliseconds) ? undefined : BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
const time = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)$/;

export function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "absent").slice(0, 60);
}

/** Whether a word is among those of a text. */
export function hasMark(value: unknown, mark: string): boolean {
  return textAt(value, 512)
    .split(/[\s|]+/)
    .includes(mark);
}
