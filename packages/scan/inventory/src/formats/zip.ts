import { inflateRawSync } from "node:zlib";
import { FormatError, slice } from "./bytes.ts";

export interface ZipEntry {
  name: string;
  /** Unpacked, as the archive says. */
  size: number;
  /** The bytes, unpacked. Raises for one that is larger than `limit`, encrypted or broken. */
  read(limit: number): Buffer;
}

const signatures = {
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
  central: 0x02014b50,
  local: 0x04034b50,
};
const endSize = 22;
const commentLimit = 65_535;
const entriesLimit = 500_000;

/**
 * The entries of a zip archive by its central directory, which is what Java goes by too; there may be anything before the
 * archive, as in jars that start themselves. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 * Raises `FormatError`.
 */
export function* zipEntries(file: Buffer): Generator<ZipEntry> {
  const { count, size, start, before } = directoryOf(file);
  if (count > entriesLimit) throw new FormatError(`${count} entries are more than ${entriesLimit}`);
  const directory = slice(file, start, size, "central directory");
  for (let at = 0, left = count; left > 0; left--) {
    const head = slice(directory, at, 46, "entry");
    if (head.readUInt32LE(0) !== signatures.central) throw new FormatError("an entry without its signature");
    const nameLength = head.readUInt16LE(28);
    const extraLength = head.readUInt16LE(30);
    const name = slice(directory, at + 46, nameLength, "name").toString("utf8");
    const extra = slice(directory, at + 46 + nameLength, extraLength, "extra field");
    yield entryOf(file, before, name, head, extra);
    at += 46 + nameLength + extraLength + head.readUInt16LE(32);
  }
}

function directoryOf(file: Buffer): { count: number; size: number; start: number; before: number } {
  const end = findEnd(file);
  let count = file.readUInt16LE(end + 10);
  let size = file.readUInt32LE(end + 12);
  let offset = file.readUInt32LE(end + 16);
  let directoryEnd = end;
  if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
    const locator = slice(file, end - 20, 20, "locator of zip64");
    if (locator.readUInt32LE(0) === signatures.locator64) {
      // The end record of 56 bytes stands right before its locator, unless it was extended; then its place is as told.
      const near = end - 20 - 56;
      const isNear = near >= 0 && file.readUInt32LE(near) === signatures.end64;
      const record = slice(file, isNear ? near : Number(locator.readBigUInt64LE(8)), 56, "end of zip64");
      if (record.readUInt32LE(0) !== signatures.end64) throw new FormatError("no end of zip64 where it should be");
      count = Number(record.readBigUInt64LE(32));
      size = Number(record.readBigUInt64LE(40));
      offset = Number(record.readBigUInt64LE(48));
      directoryEnd = isNear ? near : Number(locator.readBigUInt64LE(8));
    }
  }
  const start = directoryEnd - size;
  return { count, size, start, before: start - offset };
}

function findEnd(file: Buffer): number {
  const lowest = Math.max(0, file.length - endSize - commentLimit);
  for (let at = file.length - endSize; at >= lowest; at--) {
    if (file[at] === 0x50 && file.readUInt32LE(at) === signatures.end) return at;
  }
  throw new FormatError("no zip archive, or one that is cut off");
}

function entryOf(file: Buffer, before: number, name: string, head: Buffer, extra: Buffer): ZipEntry {
  const flags = head.readUInt16LE(8);
  const method = head.readUInt16LE(10);
  const [size, packed, offset] = sizesOf(head, extra);
  return {
    name,
    size,
    read(limit) {
      if (size > limit) throw new FormatError(`${name}: ${size} bytes are above the limit of ${limit}`);
      if ((flags & 1) !== 0) throw new FormatError(`${name} is encrypted`);
      const local = slice(file, before + offset, 30, name);
      if (local.readUInt32LE(0) !== signatures.local) throw new FormatError(`${name} is not where the directory says`);
      const start = before + offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
      const data = slice(file, start, packed, name);
      if (method === 0) return data;
      if (method !== 8) throw new FormatError(`${name} is packed by a method (${method}) that we do not know`);
      return inflateRawSync(data, { maxOutputLength: Math.max(1, limit) });
    },
  };
}

/** Unpacked size, packed size, offset: 32 bits wide, or in the extra field of zip64 where they are all ones. */
function sizesOf(head: Buffer, extra: Buffer): [number, number, number] {
  const narrow = [head.readUInt32LE(24), head.readUInt32LE(20), head.readUInt32LE(42)];
  if (!narrow.includes(0xffffffff)) return narrow as [number, number, number];
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let from = at + 4;
    const wide = narrow.map((value) => {
      if (value !== 0xffffffff) return value;
      from += 8;
      return Number(slice(extra, from - 8, 8, "zip64").readBigUInt64LE(0));
    });
    return wide as [number, number, number];
  }
  throw new FormatError("an entry of zip64 without its sizes");
}
