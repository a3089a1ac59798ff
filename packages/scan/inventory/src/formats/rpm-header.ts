import { FormatError, slice, text } from "./bytes.ts";

/** What we read of an rpm. Absent values are undefined. */
export interface RpmHeader {
  name: string | undefined;
  version: string | undefined;
  release: string | undefined;
  epoch: number | undefined;
  architecture: string | undefined;
  vendor: string | undefined;
  licence: string | undefined;
  sourceRpm: string | undefined;
  /** `nodejs:18:9020020230327152102:rhel9` */
  moduleLabel: string | undefined;
  files: string[];
}

/** https://github.com/rpm-software-management/rpm/blob/master/include/rpm/rpmtag.h */
const tags = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  vendor: 1011,
  licence: 1014,
  architecture: 1022,
  oldFileNames: 1027,
  sourceRpm: 1044,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
  moduleLabel: 5096,
} as const;
const wanted = new Set<number>(Object.values(tags));

const types = { int32: 4, string: 6, stringArray: 8, translated: 9 } as const;
/** As rpm itself has them: lib/header.c, hdrchkTags and hdrchkData. */
const indexLimit = 65_536;
const dataLimit = 256 * 1024 * 1024;
const filesLimit = 500_000;
const pathLimit = 4096;

/**
 * The header of an rpm as its database keeps it: counts of index entries and of data bytes, the index (tag, type, offset,
 * count), the data; all big endian. https://rpm-software-management.github.io/rpm/manual/format_header.html
 * Raises `FormatError`.
 */
export function readRpmHeader(blob: Buffer): RpmHeader {
  const preamble = slice(blob, 0, 8, "rpm header");
  const count = preamble.readUInt32BE(0);
  const length = preamble.readUInt32BE(4);
  if (count === 0 || count > indexLimit || length > dataLimit)
    throw new FormatError(`rpm header: ${count} entries and ${length} bytes are not of a header`);
  const index = slice(blob, 8, count * 16, "rpm header's index");
  const data = slice(blob, 8 + count * 16, length, "rpm header's data");

  const entries = new Map<number, Entry>();
  for (let at = 0; at < index.length; at += 16) {
    const tag = index.readInt32BE(at);
    if (!wanted.has(tag) || entries.has(tag)) continue;
    entries.set(tag, {
      type: index.readUInt32BE(at + 4),
      offset: index.readInt32BE(at + 8),
      count: index.readUInt32BE(at + 12),
    });
  }
  const string = (tag: number): string | undefined => strings(data, entries.get(tag))[0];
  return {
    name: string(tags.name),
    version: string(tags.version),
    release: string(tags.release),
    epoch: numbers(data, entries.get(tags.epoch))[0],
    architecture: string(tags.architecture),
    vendor: string(tags.vendor),
    licence: string(tags.licence),
    sourceRpm: string(tags.sourceRpm),
    moduleLabel: string(tags.moduleLabel),
    files: filesOf(data, entries),
  };
}

interface Entry {
  type: number;
  offset: number;
  count: number;
}

function strings(data: Buffer, entry: Entry | undefined): string[] {
  if (!entry) return [];
  const { type, count } = entry;
  if (type !== types.string && type !== types.stringArray && type !== types.translated) return [];
  const found: string[] = [];
  let at = entry.offset;
  for (let left = Math.min(type === types.string ? 1 : count, filesLimit); left > 0; left--) {
    if (at < 0 || at >= data.length) throw new FormatError("rpm header: a text lies outside of the data");
    const value = text(data, at);
    found.push(value);
    const end = data.indexOf(0, at);
    at = end < 0 ? data.length : end + 1;
  }
  return found;
}

function numbers(data: Buffer, entry: Entry | undefined): number[] {
  if (entry?.type !== types.int32) return [];
  const bytes = slice(data, entry.offset, Math.min(entry.count, filesLimit) * 4, "rpm header's numbers");
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readUInt32BE(at * 4));
}

/** Folders once each, and for every base name the number of its folder. Old rpms have whole paths. */
function filesOf(data: Buffer, entries: Map<number, Entry>): string[] {
  const folders = strings(data, entries.get(tags.dirNames));
  const indexes = numbers(data, entries.get(tags.dirIndexes));
  const names = strings(data, entries.get(tags.baseNames));
  if (names.length === 0) return strings(data, entries.get(tags.oldFileNames));
  return names.map((name, at) => `${(folders[indexes[at] ?? -1] ?? "/").slice(0, pathLimit)}${name}`);
}
