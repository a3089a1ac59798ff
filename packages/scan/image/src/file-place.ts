import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { FilePlace } from "./image.ts";

/** The bytes of a part of a file, in large pieces. */
export function readPlace({ path, start, length }: FilePlace): AsyncIterable<Uint8Array> {
  if (length === 0) return Readable.from([]);
  return createReadStream(path, { start, end: start + length - 1, highWaterMark: 256 * 1024 });
}
