import { FormatError, partsOf, slice } from "./bytes.ts";

const magics = { header: 0x506d7052, slot: 0x746f6c53, blob: 0x53626c42 } as const;
const slotsPerPage = 4096 / 16;
const blockSize = 16;
const slotPagesLimit = 2048;

/**
 * The blobs of an rpm database in its own format, as SUSE has it (`Packages.db`): a header, slots that point to blobs,
 * all little endian. https://github.com/rpm-software-management/rpm/blob/master/lib/backend/ndb/rpmpkg.c
 * Raises `FormatError`.
 */
export function* ndbBlobs(file: Buffer): Generator<Buffer> {
  const header = slice(file, 0, 32, "header");
  if (header.readUInt32LE(0) !== magics.header) throw new FormatError("no ndb database");
  if (header.readUInt32LE(4) !== 0) throw new FormatError(`ndb database of version ${header.readUInt32LE(4)}`);
  const pages = header.readUInt32LE(12);
  if (pages === 0 || pages > slotPagesLimit) throw new FormatError(`ndb database with ${pages} pages of slots`);
  const slots = slice(file, 0, pages * slotsPerPage * 16, "slots");
  const part = partsOf(file);
  // The header takes the place of two slots.
  for (let at = 32; at < slots.length; at += 16) {
    if (slots.readUInt32LE(at) !== magics.slot) throw new FormatError(`no slot at ${at}`);
    const number = slots.readUInt32LE(at + 4);
    if (number === 0) continue;
    const start = slots.readUInt32LE(at + 8) * blockSize;
    const blob = slice(file, start, 16, "blob");
    if (blob.readUInt32LE(0) !== magics.blob || blob.readUInt32LE(4) !== number)
      throw new FormatError(`no blob of package ${number} at ${start}`);
    const length = blob.readUInt32LE(12);
    part(length);
    yield slice(file, start + 16, length, "blob");
  }
}
