import { StoreError } from "./error.ts";

/** The sort key of the last row of a page, as the next page's start. Opaque outside of here. */
export function encodeCursor(list: string, key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([list, ...key])).toString("base64url");
}

/** Raises `StoreError` `bad-cursor` unless `text` is a cursor of this list with values of these types. */
export function decodeCursor<const T extends readonly ("string" | "number")[]>(
  list: string,
  text: string,
  types: T,
): { [I in keyof T]: T[I] extends "string" ? string : number } {
  const values = parse(text);
  const fits =
    Array.isArray(values) &&
    values.length === types.length + 1 &&
    values[0] === list &&
    types.every((type, index) => typeof values[index + 1] === type);
  if (!fits)
    throw new StoreError("bad-cursor", "the cursor is not of this list", { remedy: "begin at the first page" });
  return values.slice(1) as { [I in keyof T]: T[I] extends "string" ? string : number };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
