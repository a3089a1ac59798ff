import { ImageError } from "./error.ts";

/** One entry of a tar stream. */
export interface TarEntry {
  /** As it is written: may be anything. */
  name: string;
  type: "file" | "link" | "symlink" | "directory" | "other";
  /** Target of a link. */
  target: string;
  size: number;
  mode: number;
  /** Whole content of a file. To be awaited before the next entry is asked for. Raises `ImageError` `too-large`. */
  read(limit: number): Promise<Buffer>;
}

const block = 512;
/** Long names and pax headers: more than any real one, less than a bomb. */
const metadataLimit = 1024 * 1024;
const entriesLimit = 2_000_000;

/**
 * Reads a tar stream entry by entry: ustar, pax (path, linkpath, size), GNU long names, sizes in base 256. What is not
 * asked for is passed over without being kept. Raises `ImageError` `broken` where the stream ends early or a header is none.
 */
export async function* readTar(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const bytes = new ByteReader(stream);
  let pax: Record<string, string> = {};
  let longName: string | undefined;
  let longTarget: string | undefined;

  for (let count = 0; ; count++) {
    if (count > entriesLimit) throw new ImageError("too-large", `a layer has more than ${entriesLimit} entries`);
    const header = await bytes.take(block);
    if (header.length === 0) return;
    if (header.every((byte) => byte === 0)) return bytes.drain();
    if (header.length < block || !checksumFits(header))
      throw new ImageError("broken", "a layer is no tar archive, or is cut off");
    const size = numberAt(header, 124, 12);
    const flag = String.fromCharCode(header[156] ?? 0);

    if (flag === "x" || flag === "g" || flag === "L" || flag === "K") {
      if (size > metadataLimit) throw new ImageError("too-large", "a layer has a header of more than 1 MB");
      const text = (await bytes.take(padded(size))).subarray(0, size).toString("utf8");
      if (flag === "x") pax = parsePax(text);
      if (flag === "L") longName = text.replace(/\0.*$/s, "");
      if (flag === "K") longTarget = text.replace(/\0.*$/s, "");
      continue;
    }

    const realSize = pax["size"] === undefined ? size : Number(pax["size"]);
    if (!Number.isSafeInteger(realSize) || realSize < 0)
      throw new ImageError("broken", "an entry of a layer has no size");
    const body = new Body(bytes, realSize);
    yield {
      name: pax["path"] ?? longName ?? nameAt(header),
      type: typeOf(flag),
      target: pax["linkpath"] ?? longTarget ?? textAt(header, 157, 100),
      size: realSize,
      mode: numberAt(header, 100, 8),
      read: async (limit) => body.read(limit),
    };
    await body.skip();
    pax = {};
    longName = undefined;
    longTarget = undefined;
  }
}

class Body {
  readonly #bytes: ByteReader;
  readonly #size: number;
  #taken = false;

  constructor(bytes: ByteReader, size: number) {
    this.#bytes = bytes;
    this.#size = size;
  }

  async read(limit: number): Promise<Buffer> {
    if (this.#size > limit)
      throw new ImageError("too-large", `a file of ${this.#size} bytes is above the limit of ${limit}`);
    if (this.#taken) throw new Error("an entry is read once");
    this.#taken = true;
    const data = await this.#bytes.take(padded(this.#size));
    if (data.length < this.#size) throw new ImageError("broken", "a layer is cut off");
    return data.subarray(0, this.#size);
  }

  async skip(): Promise<void> {
    if (this.#taken) return;
    this.#taken = true;
    if (!(await this.#bytes.skip(padded(this.#size)))) throw new ImageError("broken", "a layer is cut off");
  }
}

/** Exact amounts out of a stream of chunks. */
class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Fewer only at the end of the stream. */
  async take(length: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    let left = length;
    while (left > 0 && (await this.#fill())) {
      const part = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(part.length);
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }

  async skip(length: number): Promise<boolean> {
    let left = length;
    while (left > 0 && (await this.#fill())) {
      const part = Math.min(left, this.#chunk.length);
      this.#chunk = this.#chunk.subarray(part);
      left -= part;
    }
    return left === 0;
  }

  /** To the very end, so that what checks the whole stream gets to see it. */
  async drain(): Promise<void> {
    while (await this.#fill()) this.#chunk = new Uint8Array(0);
  }

  async #fill(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#iterator.next();
      if (done === true) return false;
      this.#chunk = value;
    }
    return true;
  }
}

function padded(size: number): number {
  return Math.ceil(size / block) * block;
}

/** The sum of all bytes of the header, its own field taken for blanks (POSIX.1-1988, ustar). */
function checksumFits(header: Buffer): boolean {
  let sum = 0;
  for (let at = 0; at < block; at++) sum += at >= 148 && at < 156 ? 32 : (header[at] ?? 0);
  return sum === numberAt(header, 148, 8);
}

/** Octal digits, or base 256 where the first bit is set (GNU). */
function numberAt(header: Buffer, at: number, length: number): number {
  const first = header[at] ?? 0;
  if ((first & 0x80) === 0) return Number.parseInt(textAt(header, at, length).trim() || "0", 8);
  let value = first & 0x7f;
  for (let index = at + 1; index < at + length; index++) value = value * 256 + (header[index] ?? 0);
  return value;
}

function textAt(header: Buffer, at: number, length: number): string {
  const end = header.indexOf(0, at);
  return header.toString("utf8", at, end < 0 || end > at + length ? at + length : end);
}

function nameAt(header: Buffer): string {
  const prefix = header.toString("latin1", 257, 262) === "ustar" ? textAt(header, 345, 155) : "";
  const name = textAt(header, 0, 100);
  return prefix === "" ? name : `${prefix}/${name}`;
}

function typeOf(flag: string): TarEntry["type"] {
  switch (flag) {
    case "0":
    case "\0":
    case "7":
      return "file";
    case "1":
      return "link";
    case "2":
      return "symlink";
    case "5":
      return "directory";
    default:
      return "other";
  }
}

/** `<length> <key>=<value>\n`, the length in bytes and with itself. */
function parsePax(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  const data = Buffer.from(text, "utf8");
  for (let at = 0; at < data.length;) {
    const blank = data.indexOf(32, at);
    const length = blank < 0 ? Number.NaN : Number(data.toString("latin1", at, blank));
    if (!Number.isInteger(length) || length < 5 || at + length > data.length)
      throw new ImageError("broken", "a pax header is broken");
    const field = data.toString("utf8", blank + 1, at + length - 1);
    const equals = field.indexOf("=");
    if (equals > 0) fields[field.slice(0, equals)] = field.slice(equals + 1);
    at += length;
  }
  return fields;
}
