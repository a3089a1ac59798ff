import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { AgentRecord } from "@bulwark/model";

/**
 * Records on disk until the server has them. A folder of append-only segments, each named by the number of its first
 * record; a line is `<number> <crc> <json>`. Numbers never repeat, across restarts too: the newest segment is never
 * deleted, and its name says where to go on. Only what has been synced is ever sent, so that a number that was torn off
 * by a crash was never seen by anybody.
 */
export interface SpoolOptions {
  folder: string;
  /** Bound of all segments together, in bytes. Above it the oldest events go first, then the oldest of all. */
  limit: number;
  /** Size at which a new segment is begun. */
  segmentSize?: number;
}

export interface SpoolBatch {
  /** Number of the first record; the others follow without a gap. */
  first: number;
  /** JSON texts of the records. */
  records: string[];
}

interface Segment {
  first: number;
  /** Number of the last record; `first` - 1 while it is empty. */
  last: number;
  bytes: number;
}

export class Spool {
  /** Names this folder for the server. */
  readonly id: string;
  readonly #folder: string;
  readonly #limit: number;
  readonly #segmentSize: number;
  readonly #segments: Segment[];
  #file: FileHandle;
  #buffer: string[] = [];
  #bufferBytes = 0;
  #next: number;
  /** Last number that is on disk for sure. */
  #synced: number;
  #acknowledged = 0;
  #writing: Promise<void> = Promise.resolve();
  #cache: { first: number; lines: { number: number; json: string }[] } | undefined;
  /** Dropped because the spool was full, cut off after a crash, or refused by the disk. */
  readonly lost = { full: 0, torn: 0, disk: 0 };

  private constructor(
    options: Required<SpoolOptions>,
    id: string,
    segments: Segment[],
    file: FileHandle,
    torn: number,
  ) {
    this.id = id;
    this.#folder = options.folder;
    this.#limit = options.limit;
    this.#segmentSize = options.segmentSize;
    this.#segments = segments;
    this.#file = file;
    this.#next = (segments.at(-1)?.last ?? 0) + 1;
    this.#synced = this.#next - 1;
    this.lost.torn = torn;
  }

  /** Opens the folder, which is made where it is not there, and cuts off what a crash left half written. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const full = { segmentSize: 4_000_000, ...options };
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const id = await readId(options.folder);
    const names = (await readdir(options.folder)).filter((name) => segmentName.test(name)).sort();
    const segments: Segment[] = [];
    let torn = 0;
    for (const name of names) {
      const path = join(options.folder, name);
      const { lines, bytes, whole } = parse(await readFile(path));
      if (bytes < whole) {
        torn++;
        await truncate(path, bytes);
      }
      const first = Number(name.slice(0, numberWidth));
      segments.push({ first, last: lines.at(-1)?.number ?? first - 1, bytes });
    }
    if (segments.length === 0) segments.push({ first: 1, last: 0, bytes: 0 });
    const newest = segments.at(-1) as Segment;
    const file = await open(join(options.folder, nameOf(newest.first)), "a", 0o600);
    return new Spool(full, id, segments, file, torn);
  }

  /** Bytes on disk, and records that the server does not have yet. */
  get size(): { bytes: number; records: number } {
    const bytes = this.#segments.reduce((sum, segment) => sum + segment.bytes, 0) + this.#bufferBytes;
    return {
      bytes,
      records: Math.max(0, this.#next - 1 - Math.max(this.#acknowledged, (this.#segments[0]?.first ?? 1) - 1)),
    };
  }

  /** Takes records in. They are on disk after the next `sync`. */
  append(records: readonly AgentRecord[]): void {
    for (const record of records) {
      const line = lineOf(this.#next++, JSON.stringify(record));
      this.#buffer.push(line);
      this.#bufferBytes += Buffer.byteLength(line);
    }
  }

  /** Resolves when all that has been taken in is on disk. A disk that refuses is counted in `lost.disk`, not thrown. */
  async sync(): Promise<void> {
    this.#writing = this.#writing.then(async () => this.#write());
    await this.#writing;
  }

  /**
   * The next records behind `after` that are on disk: at most `count`, about `bytes`. Undefined when there is none. Raises
   * the system's error where the disk cannot be read.
   */
  async read(after: number, count: number, bytes: number): Promise<SpoolBatch | undefined> {
    for (const segment of [...this.#segments]) {
      if (segment.last <= after) continue;
      const lines = await this.#linesOf(segment).catch((error: unknown) => {
        // Dropped to make room while it was being read: counted there.
        if (!this.#segments.includes(segment)) return [];
        throw error;
      });
      const from = lines.findIndex(({ number }) => number > after);
      const first = lines[from];
      if (!first || first.number > this.#synced) continue;
      const records: string[] = [];
      let size = 0;
      for (let at = from; at < lines.length && records.length < count && size < bytes; at++) {
        const line = lines[at];
        if (!line || line.number !== first.number + records.length || line.number > this.#synced) break;
        records.push(line.json);
        size += line.json.length;
      }
      return { first: first.number, records };
    }
    return undefined;
  }

  /** The server has everything up to `number`: it may be forgotten. */
  async acknowledge(number: number): Promise<void> {
    this.#acknowledged = Math.max(this.#acknowledged, number);
    while (this.#segments.length > 1 && (this.#segments[0]?.last ?? Infinity) <= this.#acknowledged) {
      const done = this.#segments.shift();
      // One that stays is sent again after a restart, and the server knows its numbers.
      if (done) await rm(join(this.#folder, nameOf(done.first)), { force: true }).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await this.sync();
    await this.#file.close();
  }

  async #write(): Promise<void> {
    if (this.#buffer.length === 0) return;
    const lines = this.#buffer;
    const last = this.#next - 1;
    this.#buffer = [];
    this.#bufferBytes = 0;
    const text = Buffer.from(lines.join(""));
    const newest = this.#segments.at(-1) as Segment;
    try {
      await this.#file.appendFile(text);
      await this.#file.datasync();
      newest.bytes += text.length;
      newest.last = last;
      this.#synced = last;
      if (this.#cache?.first === newest.first) this.#cache = undefined;
    } catch {
      // A full disk may have taken half of it: cut that off, so that the next write begins on a clean line.
      this.lost.disk += lines.length;
      newest.last = last;
      this.#synced = last;
      await truncate(join(this.#folder, nameOf(newest.first)), newest.bytes).catch(() => undefined);
      return;
    }
    try {
      if (newest.bytes >= this.#segmentSize) await this.#rotate();
      await this.#makeRoom();
    } catch {
      // What was to be kept is on disk: the segment grows on, and the next write tries both again.
    }
  }

  /** Begins a new segment, named by the next number that will be written: more may have been taken in meanwhile. */
  async #rotate(): Promise<void> {
    const first = this.#synced + 1;
    const before = this.#file;
    this.#file = await open(join(this.#folder, nameOf(first)), "a", 0o600);
    this.#segments.push({ first, last: first - 1, bytes: 0 });
    await before.close();
  }

  async #makeRoom(): Promise<void> {
    const tooMuch = (): boolean => this.#segments.reduce((sum, { bytes }) => sum + bytes, 0) > this.#limit;
    // First round: events out of the oldest segments. Second: whole segments, the oldest first.
    for (const segment of this.#segments.slice(0, -1)) {
      if (!tooMuch()) return;
      await this.#dropEvents(segment);
    }
    while (tooMuch() && this.#segments.length > 1) {
      const oldest = this.#segments.shift() as Segment;
      this.lost.full += (await this.#linesOf(oldest)).filter(({ number }) => number > this.#acknowledged).length;
      await rm(join(this.#folder, nameOf(oldest.first)), { force: true });
    }
  }

  async #dropEvents(segment: Segment): Promise<void> {
    const lines = await this.#linesOf(segment);
    const kept = lines.filter(({ json }) => !json.startsWith('{"type":"event"'));
    if (kept.length === lines.length) return;
    this.lost.full += lines.length - kept.length;
    const text = kept.map(({ number, json }) => lineOf(number, json)).join("");
    const path = join(this.#folder, nameOf(segment.first));
    await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
    segment.bytes = Buffer.byteLength(text);
    this.#cache = undefined;
  }

  async #linesOf(segment: Segment): Promise<{ number: number; json: string }[]> {
    if (this.#cache?.first === segment.first) return this.#cache.lines;
    const { bytes } = segment;
    const { lines } = parse(await readFile(join(this.#folder, nameOf(segment.first))));
    // What was written in the meantime is not among them: kept, they would hide it until something else is written.
    if (segment.bytes === bytes) this.#cache = { first: segment.first, lines };
    return lines;
  }
}

const numberWidth = 16;
const segmentName = new RegExp(`^\\d{${numberWidth}}\\.spool$`);

function nameOf(first: number): string {
  return `${String(first).padStart(numberWidth, "0")}.spool`;
}

async function readId(folder: string): Promise<string> {
  const path = join(folder, "id");
  const known = await readFile(path, "utf8").catch(() => "");
  if (/^[0-9a-f-]{36}$/.test(known)) return known;
  const id = randomUUID();
  await writeFile(path, id, { mode: 0o600, flush: true });
  return id;
}

function lineOf(number: number, json: string): string {
  return `${number} ${crc32(json).toString(16).padStart(8, "0")} ${json}\n`;
}

/** Whole lines from the start, and how many bytes they take; what follows is torn. */
function parse(data: Buffer): { lines: { number: number; json: string }[]; bytes: number; whole: number } {
  const lines: { number: number; json: string }[] = [];
  let at = 0;
  for (;;) {
    const end = data.indexOf(10, at);
    const match = end < 0 ? null : /^(\d{1,15}) ([0-9a-f]{8}) (.*)$/.exec(data.toString("utf8", at, end));
    const [, number = "", sum = "", json = ""] = match ?? [];
    if (!match || crc32(json) !== Number.parseInt(sum, 16)) return { lines, bytes: at, whole: data.length };
    lines.push({ number: Number(number), json });
    at = end + 1;
  }
}

async function truncate(path: string, bytes: number): Promise<void> {
  if ((await stat(path)).size <= bytes) return;
  const file = await open(path, "r+");
  await file.truncate(bytes);
  await file.datasync();
  await file.close();
}
