/** cel-go's encoders. */
import { define, type Overload } from "../environment.ts";
import { failure } from "../errors.ts";
import { traversal } from "./standard.ts";

function decode(text: string): Uint8Array {
  // With and without padding; nothing that is not of the alphabet.
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.replace(/=+$/, "").length % 4 === 1) throw failure("no base64");
  return new Uint8Array(Buffer.from(text, "base64"));
}

export const encoders: readonly Overload[] = [
  define("base64.decode(string): bytes", decode, traversal),
  define("base64.encode(bytes): string", (value: Uint8Array) => Buffer.from(value).toString("base64"), traversal),
];
