import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { crc32, inflateRawSync } from "node:zlib";
import { fromBuffer, type Entry, type ZipFile } from "yauzl";

const entriesLimit = 2_000_000;
const entryLimit = 16 * 1024 * 1024;
const [stored, deflated] = [0, 8];

/**
 * Texts of a zip's files whose names end so. Raises for an archive that is cut or damaged, or has absurd counts or sizes.
 * The archive is in memory and each entry is unpacked at once: a feed has tens of thousands of small ones, and a stream
 * for each takes ten times as long.
 */
export async function* zipEntries(file: string, ending: string): AsyncGenerator<{ name: string; text: string }> {
  const archive = await readFile(file);
  const zip = await promisify<Buffer, object, ZipFile>(fromBuffer)(archive, { lazyEntries: true });
  if (zip.entryCount > entriesLimit) throw new Error(`${zip.entryCount} entries`);
  const entries = entriesOf(zip);
  for (let entry = await entries(); entry; entry = await entries()) {
    if (!entry.fileName.endsWith(ending)) continue;
    yield { name: entry.fileName, text: contentOf(archive, entry).toString("utf8") };
  }
}

/** The next entry, or undefined behind the last. */
function entriesOf(zip: ZipFile): () => Promise<Entry | undefined> {
  let resolve: (entry: Entry | undefined) => void = () => {};
  let reject: (error: Error) => void = () => {};
  zip.on("entry", (entry: Entry) => resolve(entry));
  zip.on("end", () => resolve(undefined));
  zip.on("error", (error: Error) => reject(error));
  return () =>
    new Promise((onEntry, onError) => {
      [resolve, reject] = [onEntry, onError];
      zip.readEntry();
    });
}

/** https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7: the data lies behind the local header. */
function contentOf(archive: Buffer, entry: Entry): Buffer {
  const { fileName: name, relativeOffsetOfLocalHeader: at, compressedSize, uncompressedSize } = entry;
  if (uncompressedSize > entryLimit) throw new Error(`${name} is larger than 16 MB`);
  if (at + 30 > archive.length || archive.readUInt32LE(at) !== 0x04034b50) throw new Error(`${name} has no header`);
  const start = at + 30 + archive.readUInt16LE(at + 26) + archive.readUInt16LE(at + 28);
  const packed = archive.subarray(start, start + compressedSize);
  if (entry.compressionMethod !== stored && entry.compressionMethod !== deflated) {
    throw new Error(`${name} is packed by method ${entry.compressionMethod}`);
  }
  const content = entry.compressionMethod === stored ? packed : inflateRawSync(packed, { maxOutputLength: entryLimit });
  if (content.length !== uncompressedSize || crc32(content) !== entry.crc32) throw new Error(`${name} is damaged`);
  return content;
}
