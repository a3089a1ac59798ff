import type { ByteReader } from "./byte-reader.ts";
import { ImageError } from "./error.ts";
import { numberAt } from "./tar-field.ts";

/** Where the bytes that an archive holds of a sparse file belong; between them are zeros. */
export interface SparseMap {
  /** Of the whole file. */
  size: number;
  /** Format 1.0: the map stands before the content, in blocks of 512 bytes. */
  inContent: boolean;
  pieces: Piece[];
}

interface Piece {
  at: number;
  length: number;
}

const block = 512;
const piecesLimit = 100_000;

/**
 * The map of a sparse entry, in any of GNU's formats: in the header and blocks after it (`S`), in the pax header (0.0 and
 * 0.1), before the content (1.0). Undefined for an entry that is not sparse.
 * https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html
 */
export async function sparseMap(
  bytes: ByteReader,
  flag: string,
  header: Buffer,
  pax: ReadonlyMap<string, string>,
  stored: number,
): Promise<SparseMap | undefined> {
  if (flag === "S")
    return { size: real(numberAt(header, 483, 12)), inContent: false, pieces: await oldMap(bytes, header) };
  const size = pax.get("GNU.sparse.realsize") ?? pax.get("GNU.sparse.size");
  if (size === undefined) return undefined;
  if (pax.get("GNU.sparse.major") === "1") return { size: real(Number(size)), inContent: true, pieces: [] };
  const offsets = pax.get("GNU.sparse.offset");
  const lengths = pax.get("GNU.sparse.numbytes");
  const map = pax.get("GNU.sparse.map");
  if (offsets !== undefined && lengths !== undefined) {
    const sizes = lengths.split(",");
    return {
      size: real(Number(size)),
      inContent: false,
      pieces: offsets.split(",").map((at, index) => ({ at: Number(at), length: Number(sizes[index] ?? Number.NaN) })),
    };
  }
  if (map === undefined) return { size: real(Number(size)), inContent: false, pieces: [{ at: 0, length: stored }] };
  return { size: real(Number(size)), inContent: false, pieces: inPairs(map.split(",").map(Number)) };
}

/** The file as it is when it is unpacked. Raises `ImageError` `broken` where map and content do not fit together. */
export function expand(stored: Buffer, map: SparseMap): Buffer {
  const { pieces, content } = map.inContent ? mapBefore(stored) : { pieces: map.pieces, content: stored };
  const whole = Buffer.alloc(map.size);
  let from = 0;
  for (const { at, length } of pieces) {
    const fits = Number.isSafeInteger(at) && Number.isSafeInteger(length) && at >= 0 && length >= 0;
    if (!fits || at + length > whole.length || from + length > content.length) throw broken();
    content.copy(whole, at, from, from + length);
    from += length;
  }
  return whole;
}

async function oldMap(bytes: ByteReader, header: Buffer): Promise<Piece[]> {
  const pieces: Piece[] = [];
  let part = header;
  let at = 386;
  let count = 4;
  for (;;) {
    for (let index = 0; index < count; index++, at += 24) {
      const length = numberAt(part, at + 12, 12);
      if (length > 0) pieces.push({ at: numberAt(part, at, 12), length });
    }
    if ((part[at] ?? 0) === 0) return pieces;
    if (pieces.length > piecesLimit) throw broken();
    part = await bytes.take(block);
    if (part.length < block) throw broken();
    at = 0;
    count = 21;
  }
}

/** Decimal numbers, a line each: how many pieces, then offset and length of each; filled up to a block. */
function mapBefore(stored: Buffer): { pieces: Piece[]; content: Buffer } {
  let at = 0;
  const number = (): number => {
    const end = stored.indexOf(10, at);
    if (end < 0 || end - at > 20) throw broken();
    const value = Number(stored.toString("latin1", at, end));
    at = end + 1;
    return value;
  };
  const count = number();
  if (!(count >= 0 && count <= piecesLimit)) throw broken();
  const pieces = inPairs(Array.from({ length: count * 2 }, number));
  return { pieces, content: stored.subarray(Math.ceil(at / block) * block) };
}

function inPairs(numbers: number[]): Piece[] {
  if (numbers.length % 2 !== 0 || numbers.length > piecesLimit * 2) throw broken();
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    at: numbers[index * 2] ?? 0,
    length: numbers[index * 2 + 1] ?? 0,
  }));
}

function real(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw broken();
  return size;
}

function broken(): ImageError {
  return new ImageError("broken", "the map of a sparse file is broken");
}
