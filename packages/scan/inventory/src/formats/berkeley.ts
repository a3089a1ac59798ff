import { FormatError, partsOf, slice } from "./bytes.ts";

const hashMagic = 0x061561;
const pageTypes = { hashUnsorted: 2, overflow: 7, hash: 13 } as const;
const itemTypes = { keyData: 1, offPage: 3 } as const;
const pageHeader = 26;

/**
 * The values of a Berkeley DB hash table, in no order: rpm's `Packages` up to RHEL 8. Pages are walked from first to last,
 * so that no chain is trusted. Structures: src/dbinc/db_page.h of Berkeley DB 5.3. Raises `FormatError`.
 */
export function* berkeleyValues(file: Buffer): Generator<Buffer> {
  const numbers = openHash(file);
  for (let number = 1; number <= numbers.last; number++) {
    const page = slice(file, number * numbers.pageSize, numbers.pageSize, `page ${number}`);
    if (page[25] !== pageTypes.hash && page[25] !== pageTypes.hashUnsorted) continue;
    const entries = numbers.u16(page, 20);
    slice(page, pageHeader, entries * 2, `page ${number}'s entries`);
    // Keys and values take turns; items grow from the end of the page.
    for (let entry = 1; entry < entries; entry += 2) {
      const start = numbers.u16(page, pageHeader + entry * 2);
      const end = numbers.u16(page, pageHeader + (entry - 1) * 2);
      const item = slice(page, start, end - start, `page ${number}'s item`);
      if (item[0] === itemTypes.keyData) yield item.subarray(1);
      else if (item[0] === itemTypes.offPage && item.length >= 12)
        yield overflow(file, numbers, numbers.u32(item, 4), numbers.u32(item, 8));
      else throw new FormatError(`page ${number}: an item of type ${item[0] ?? "none"}`);
    }
  }
}

interface Numbers {
  pageSize: number;
  last: number;
  part(bytes: number): void;
  u16(data: Buffer, at: number): number;
  u32(data: Buffer, at: number): number;
}

/** The first page: which byte order, which page size, how many pages. */
function openHash(file: Buffer): Numbers {
  const meta = slice(file, 0, 72, "first page");
  const little = meta.readUInt32LE(12) === hashMagic;
  if (!little && meta.readUInt32BE(12) !== hashMagic) throw new FormatError("no Berkeley DB hash table");
  const u16 = (data: Buffer, at: number): number => (little ? data.readUInt16LE(at) : data.readUInt16BE(at));
  const u32 = (data: Buffer, at: number): number => (little ? data.readUInt32LE(at) : data.readUInt32BE(at));
  if (meta[24] !== 0) throw new FormatError("an encrypted Berkeley DB");
  const pageSize = u32(meta, 20);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0)
    throw new FormatError(`a Berkeley DB with pages of ${pageSize} bytes`);
  return { pageSize, last: u32(meta, 32), part: partsOf(file), u16, u32 };
}

function overflow(file: Buffer, { pageSize, part: take, u16, u32 }: Numbers, first: number, length: number): Buffer {
  take(length);
  const parts: Buffer[] = [];
  let number = first;
  let left = length;
  while (left > 0) {
    const page = slice(file, number * pageSize, pageSize, `page ${number}`);
    if (page[25] !== pageTypes.overflow) throw new FormatError(`page ${number} is no overflow page`);
    const part = slice(page, pageHeader, u16(page, 22), `page ${number}'s data`);
    if (part.length === 0) throw new FormatError(`page ${number} is an empty overflow page`);
    parts.push(part);
    left -= part.length;
    number = u32(page, 16);
  }
  return Buffer.concat(parts, length);
}
