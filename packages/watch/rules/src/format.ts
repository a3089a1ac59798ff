import type { BoundOperand } from "./compile/bound.ts";
import type { Scalar } from "./event.ts";

/** An output of a rule: text, and fields between. */
export type Format = readonly (string | { readonly operand: BoundOperand; readonly token: string })[];

/** What a field without a value is shown as. */
const absent = "<NA>";

/** The output for one event. Bytes of the event are as they are: whoever prints it escapes them. */
export function formatOutput(format: Format, read: (operand: BoundOperand) => unknown): string {
  let text = "";
  for (const part of format) text += typeof part === "string" ? part : shown(read(part.operand));
  return text;
}

/** Every field of the output by its name, without those that have no value. */
export function outputFields(format: Format, read: (operand: BoundOperand) => unknown): Record<string, Scalar> {
  const fields: Record<string, Scalar> = {};
  for (const part of format) {
    if (typeof part === "string") continue;
    const value = read(part.operand);
    if (value === undefined) continue;
    fields[part.token] = typeof value === "number" || typeof value === "boolean" ? value : shown(value);
  }
  return fields;
}

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === undefined) return absent;
  if (typeof value === "number") return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (Array.isArray(value)) return `(${value.join(",")})`;
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? Number(inner) : inner));
}
