import { isUtf8 } from "node:buffer";

/** UTF-8, and Latin-1 where it is none: no two names become one. */
export function decodeText(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? "utf8" : "latin1");
}

/** Text up to the first NUL. */
export function textAt(data: Buffer, at: number, length: number): string {
  const field = data.subarray(at, at + length);
  const end = field.indexOf(0);
  return decodeText(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits, or base 256 where the first bit is set (GNU). NaN where it is neither. */
export function numberAt(header: Buffer, at: number, length: number): number {
  const first = header[at] ?? 0;
  if ((first & 0x80) !== 0) {
    let value = first & 0x7f;
    for (let index = at + 1; index < at + length; index++) value = value * 256 + (header[index] ?? 0);
    return value;
  }
  let [from, to] = [at, at];
  while (to < at + length && header[to] !== 0) to++;
  while (from < to && isBlank(header[from])) from++;
  while (to > from && isBlank(header[to - 1])) to--;
  let value = 0;
  for (let index = from; index < to; index++) {
    const digit = (header[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return Number.NaN;
    value = value * 8 + digit;
  }
  return value;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}
