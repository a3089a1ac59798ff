import { FormatError, slice } from "./bytes.ts";

/** What we read of an ELF file, https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html */
export interface Elf {
  /** Bytes of the section of that name; undefined where there is none. */
  section(name: string): Buffer | undefined;
  /** Bytes of segments that are loaded and can be written to: initialised data. */
  dataSegments(): Buffer[];
  /** `length` bytes that are loaded to `address`. */
  at(address: bigint, length: number): Buffer | undefined;
  littleEndian: boolean;
  /** 4 or 8. */
  pointerSize: number;
}

const magic = 0x7f454c46;
const tableLimit = 65_536;
const types = { load: 1, noBits: 8 } as const;
const writable = 2;

/** Undefined where the bytes are no ELF file; raises `FormatError` where they are a broken one. */
export function openElf(file: Buffer): Elf | undefined {
  if (file.length < 64 || file.readUInt32BE(0) !== magic) return undefined;
  const wide = file[4] === 2;
  const little = file[5] === 1;
  const u16 = (at: number): number => number(slice(file, at, 2, "ELF header"), little);
  const u32 = (at: number): number => number(slice(file, at, 4, "ELF header"), little);
  const word = (at: number): number => number(slice(file, at, wide ? 8 : 4, "ELF header"), little);

  const segments = (): Segment[] => {
    const table = word(wide ? 32 : 28);
    const size = u16(wide ? 54 : 42);
    const count = u16(wide ? 56 : 44);
    return Array.from({ length: Math.min(count, tableLimit) }, (_, at) => {
      const start = table + at * size;
      return {
        type: u32(start),
        flags: u32(start + (wide ? 4 : 24)),
        offset: word(start + (wide ? 8 : 4)),
        address: word(start + (wide ? 16 : 8)),
        size: word(start + (wide ? 32 : 16)),
      };
    }).filter(({ type }) => type === types.load);
  };
  const section = (name: string): Buffer | undefined => {
    const table = word(wide ? 40 : 32);
    const size = u16(wide ? 58 : 46);
    const count = u16(wide ? 60 : 48);
    if (table === 0 || count === 0) return undefined;
    const at = (index: number): { name: number; type: number; offset: number; size: number } => {
      const start = table + index * size;
      return {
        name: u32(start),
        type: u32(start + 4),
        offset: word(start + (wide ? 24 : 16)),
        size: word(start + (wide ? 32 : 20)),
      };
    };
    const strings = at(u16(wide ? 62 : 50));
    const names = slice(file, strings.offset, strings.size, "ELF section names");
    for (let index = 0; index < count; index++) {
      const found = at(index);
      if (found.type !== types.noBits && found.name < names.length && isNamed(names, found.name, name))
        return slice(file, found.offset, found.size, name);
    }
    return undefined;
  };
  return {
    littleEndian: little,
    pointerSize: wide ? 8 : 4,
    section,
    dataSegments: () =>
      segments()
        .filter(({ flags }) => (flags & writable) !== 0)
        .map(({ offset, size }) => file.subarray(offset, offset + size)),
    at(address, length) {
      const wanted = Number(address);
      const segment = segments().find((one) => wanted >= one.address && wanted + length <= one.address + one.size);
      return segment && file.subarray(segment.offset + wanted - segment.address).subarray(0, length);
    },
  };
}

interface Segment {
  type: number;
  flags: number;
  offset: number;
  address: number;
  size: number;
}

function isNamed(names: Buffer, at: number, name: string): boolean {
  return names.toString("latin1", at, at + name.length + 1) === `${name}\0`;
}

/** Two, four or eight bytes; what no file can be as large as is refused. */
function number(bytes: Buffer, little: boolean): number {
  if (bytes.length < 8) return little ? bytes.readUIntLE(0, bytes.length) : bytes.readUIntBE(0, bytes.length);
  const value = little ? bytes.readBigUInt64LE(0) : bytes.readBigUInt64BE(0);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FormatError("an ELF file with an offset beyond its end");
  return Number(value);
}
