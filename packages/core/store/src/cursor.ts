import { createHash } from "node:crypto";
import { StoreError } from "./error.ts";

/** Goes up when a list is ordered anew: cursors of before are then refused, never misread. */
const version = 1;
const sumLength = 8;

/** The sort key of the last row of a page, as the next page's start. Opaque outside of here. */
export function encodeCursor(list: string, key: readonly (string | number)[]): string {
  const text = JSON.stringify([version, list, ...key]);
  return sumOf(text) + Buffer.from(text).toString("base64url");
}

/**
 * Raises `StoreError` `bad-cursor` unless `text` is a cursor of this list with values of these types. The sum finds a
 * cursor that was cut or changed; it is no secret, because a cursor gives no right: it only says where a page begins.
 */
export function decodeCursor<const T extends readonly ("string" | "number")[]>(
  list: string,
  text: string,
  types: T,
): { [I in keyof T]: T[I] extends "string" ? string : number } {
  const values = parse(text);
  const fits =
    Array.isArray(values) &&
    values.length === types.length + 2 &&
    values[0] === version &&
    values[1] === list &&
    types.every((type, index) => isKey(values[index + 2], type));
  if (!fits)
    throw new StoreError("bad-cursor", "the cursor is not of this list", { remedy: "begin at the first page" });
  return values.slice(2) as { [I in keyof T]: T[I] extends "string" ? string : number };
}

function parse(text: string): unknown {
  const json = Buffer.from(text.slice(sumLength), "base64url").toString("utf8");
  if (sumOf(json) !== text.slice(0, sumLength)) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function sumOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, sumLength);
}

function isKey(value: unknown, type: "string" | "number"): boolean {
  return type === "number" ? Number.isSafeInteger(value) : typeof value === "string";
}
