import { ImageError } from "./error.ts";
import { ByteReader } from "./byte-reader.ts";
import { decodeText, numberAt, textAt } from "./tar-field.ts";
import { expand, sparseMap, type SparseMap } from "./tar-sparse.ts";

/** One entry of a tar stream. */
export interface TarEntry {
  /** As it is written: may be anything. */
  name: string;
  type: "file" | "link" | "symlink" | "directory" | "other";
  /** Target of a link. */
  target: string;
  size: number;
  mode: number;
  uid: number;
  gid: number;
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
  let pax = new Map<string, string>();
  let longName: string | undefined;
  let longTarget: string | undefined;

  for (let count = 0; ; count++) {
    if (count > entriesLimit) throw new ImageError("too-large", `a layer has more than ${entriesLimit} entries`);
    const header = await bytes.take(block);
    if (header.length === 0) return;
    if (header[0] === 0 && header.every((byte) => byte === 0)) return bytes.drain();
    if (header.length < block || !checksumFits(header))
      throw new ImageError("broken", "a layer is no tar archive, or is cut off");
    const size = numberAt(header, 124, 12);
    const flag = String.fromCharCode(header[156] ?? 0);

    if (flag === "x" || flag === "g" || flag === "L" || flag === "K") {
      if (!(size >= 0)) throw new ImageError("broken", "a header of a layer has no size");
      if (size > metadataLimit) throw new ImageError("too-large", "a layer has a header of more than 1 MB");
      const data = (await bytes.take(padded(size))).subarray(0, size);
      if (data.length < size) throw new ImageError("broken", "a layer is cut off");
      if (flag === "x") pax = parsePax(data);
      if (flag === "L") longName = textAt(data, 0, size);
      if (flag === "K") longTarget = textAt(data, 0, size);
      continue;
    }

    const name = longName ?? pax.get("path") ?? nameAt(header);
    const type = typeOf(flag, name);
    // Links, devices and folders have no content, whatever their size says (archive/tar of Go, isHeaderOnly).
    const stored = "123456".includes(flag) ? 0 : numberOr(pax.get("size"), size);
    if (!Number.isSafeInteger(stored) || stored < 0) throw new ImageError("broken", "an entry of a layer has no size");
    const body = new Body(bytes, stored, await sparseMap(bytes, flag, header, pax, stored));
    yield {
      name: pax.get("GNU.sparse.name") ?? name,
      type,
      target: longTarget ?? pax.get("linkpath") ?? textAt(header, 157, 100),
      size: body.size,
      mode: numberAt(header, 100, 8) & 0o7777,
      uid: numberOr(pax.get("uid"), numberAt(header, 108, 8)) || 0,
      gid: numberOr(pax.get("gid"), numberAt(header, 116, 8)) || 0,
      read: async (limit) => body.read(limit),
    };
    await body.skip();
    pax = new Map();
    longName = undefined;
    longTarget = undefined;
  }
}

class Body {
  /** Bytes of the file; a sparse one has fewer in the archive. */
  readonly size: number;
  readonly #bytes: ByteReader;
  readonly #stored: number;
  readonly #sparse: SparseMap | undefined;
  #taken = false;

  constructor(bytes: ByteReader, stored: number, sparse: SparseMap | undefined) {
    this.#bytes = bytes;
    this.#stored = stored;
    this.#sparse = sparse;
    this.size = sparse?.size ?? stored;
  }

  async read(limit: number): Promise<Buffer> {
    if (this.size > limit || this.#stored > limit + metadataLimit)
      throw new ImageError("too-large", `a file of ${this.size} bytes is above the limit of ${limit}`);
    if (this.#taken) throw new Error("an entry is read once");
    this.#taken = true;
    const data = await this.#bytes.take(padded(this.#stored));
    if (data.length < this.#stored) throw new ImageError("broken", "a layer is cut off");
    const content = data.subarray(0, this.#stored);
    return this.#sparse ? expand(content, this.#sparse) : content;
  }

  async skip(): Promise<void> {
    if (this.#taken) return;
    this.#taken = true;
    if (!(await this.#bytes.skip(padded(this.#stored)))) throw new ImageError("broken", "a layer is cut off");
  }
}

function padded(size: number): number {
  return Math.ceil(size / block) * block;
}

/** The sum of all bytes of the header, its own field taken for blanks (POSIX.1-1988, ustar); some summed signed bytes. */
function checksumFits(header: Buffer): boolean {
  const written = numberAt(header, 148, 8);
  let sum = 0;
  let negative = 0;
  for (let at = 0; at < block; at++) {
    const byte = at >= 148 && at < 156 ? 32 : (header[at] as number);
    sum += byte;
    negative += byte >> 7;
  }
  return sum === written || sum - 256 * negative === written;
}

function numberOr(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
}

/** The name of an entry: UTF-8, and Latin-1 where it is not, so that no two names become one. */
function nameAt(header: Buffer): string {
  const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? textAt(header, 345, 155) : "";
  const name = textAt(header, 0, 100);
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** `0` and `7` are files; so was anything before ustar, and a folder was a name that ends in a slash. */
function typeOf(flag: string, name: string): TarEntry["type"] {
  switch (flag) {
    case "\0":
      return name.endsWith("/") ? "directory" : "file";
    case "0":
    case "7":
    case "S":
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
function parsePax(data: Buffer): Map<string, string> {
  const fields = new Map<string, string>();
  for (let at = 0; at < data.length;) {
    const blank = data.indexOf(32, at);
    const length = blank < 0 ? Number.NaN : Number(data.toString("latin1", at, blank));
    if (!Number.isInteger(length) || length < 5 || at + length > data.length)
      throw new ImageError("broken", "a pax header is broken");
    const equals = data.indexOf(61, blank);
    const end = at + length - 1;
    if (equals > blank && equals < end) {
      const key = data.toString("utf8", blank + 1, equals);
      const value = decodeText(data.subarray(equals + 1, end));
      // GNU's sparse format 0.0 says the same keys again and again.
      const before = key.startsWith("GNU.sparse.") ? fields.get(key) : undefined;
      fields.set(key, before === undefined ? value : `${before},${value}`);
    }
    at += length;
  }
  return fields;
}
