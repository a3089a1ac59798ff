import { promisify } from "node:util";
import { open, type Entry, type ZipFile } from "yauzl";
import { osvRecord, rangesOf, type OsvRecord } from "../osv.ts";
import { isCve, linksKept, summaryLength, type Feed, type Writer } from "./feed.ts";

/** Ecosystems that are read by default: distributions whose packages we find in images. */
const ecosystems = ["Debian", "Ubuntu", "Alpine"];

const entriesLimit = 1_000_000;
const recordLimit = 16 * 1024 * 1024;

/** https://google.github.io/osv.dev/data/#data-dumps: one zip for each ecosystem, one JSON for each record. */
export const osv: Feed = {
  files: ecosystems.map((name) => `osv/${name}/all.zip`),
  has: (path) => /^osv\/[^/]+\/all\.zip$/.test(path),
  nameOf: (path) => `osv:${path.split("/")[1] ?? ""}`,
  address: (path) => `https://osv-vulnerabilities.storage.googleapis.com/${path.slice("osv/".length)}`,
  async load(file, path, writer) {
    let records = 0;
    for await (const { name, text } of jsonEntries(file)) {
      const record = parse(text, `${path}: ${name}`);
      if (record.withdrawn) continue;
      write(record, writer);
      records++;
    }
    if (records === 0) throw new Error(`${path} has no record`);
    return records;
  },
};

async function* jsonEntries(file: string): AsyncGenerator<{ name: string; text: string }> {
  const zip = await promisify<string, object, ZipFile>(open)(file, { lazyEntries: true, autoClose: false });
  const openStream = promisify(zip.openReadStream.bind(zip)) as (entry: Entry) => Promise<AsyncIterable<Buffer>>;
  try {
    if (zip.entryCount > entriesLimit) throw new Error(`${zip.entryCount} entries`);
    for (let count = 0; count < zip.entryCount; count++) {
      const entry = await nextEntry(zip);
      if (!entry.fileName.endsWith(".json")) continue;
      if (entry.uncompressedSize > recordLimit) throw new Error(`${entry.fileName} is larger than 16 MB`);
      const parts: Buffer[] = [];
      for await (const part of await openStream(entry)) parts.push(part);
      yield { name: entry.fileName, text: Buffer.concat(parts).toString("utf8") };
    }
  } finally {
    zip.close();
  }
}

async function nextEntry(zip: ZipFile): Promise<Entry> {
  return new Promise((resolve, reject) => {
    const done = (): void => void zip.off("entry", found).off("error", failed).off("end", ended);
    const found = (entry: Entry): void => (done(), resolve(entry));
    const failed = (error: Error): void => (done(), reject(error));
    const ended = (): void => failed(new Error("the archive ends before its last entry"));
    zip.on("entry", found).on("error", failed).on("end", ended);
    zip.readEntry();
  });
}

function parse(text: string, place: string): OsvRecord {
  const parsed = osvRecord.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`${place}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "no OSV record"}`);
}

function write(record: OsvRecord, writer: Writer): void {
  const names = [record.id, ...(record.aliases ?? []), ...(record.upstream ?? [])];
  writer.advisory({
    id: record.id,
    cves: [...new Set(names.map(plainCve).filter((name) => name !== undefined))],
    aliases: (record.aliases ?? []).slice(0, 100),
    summary: (record.summary ?? record.details ?? "").slice(0, summaryLength),
    published: record.published ?? null,
    vector: vectorOf(record),
    urgency: urgencyOf(record),
    links: (record.references ?? []).slice(0, linksKept).map(({ url }) => url.slice(0, 2048)),
    affected: (record.affected ?? []).flatMap(({ package: named, ranges, versions }) => {
      if (!named) return [];
      const found = rangesOf(ranges ?? []);
      // Versions that are listed besides ranges are those inside of them.
      return [
        {
          ecosystem: named.ecosystem,
          package: named.name,
          ranges: found,
          versions: found.length > 0 ? [] : (versions ?? []),
        },
      ];
    }),
  });
}

/** `DEBIAN-CVE-2024-1` and `UBUNTU-CVE-2024-1` are that distribution's record of the CVE. */
function plainCve(id: string): string | undefined {
  const plain = id.replace(/^(DEBIAN|UBUNTU|ALPINE)-(?=CVE-)/, "");
  return isCve(plain) ? plain : undefined;
}

/** The newest version of CVSS that the record has. */
function vectorOf({ severity, affected }: OsvRecord): string | null {
  const scores = [...(severity ?? []), ...(affected ?? []).flatMap((item) => item.severity ?? [])];
  for (const type of ["CVSS_V4", "CVSS_V3", "CVSS_V2"]) {
    const found = scores.find((score) => score.type === type);
    if (found) return found.score.slice(0, 256);
  }
  return null;
}

function urgencyOf({ affected }: OsvRecord): string | null {
  const said = affected?.find((item) => typeof item.ecosystem_specific?.urgency === "string")?.ecosystem_specific
    ?.urgency;
  return typeof said === "string" ? said.slice(0, 64) : null;
}
