import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuditRules } from "@bulwark/detect/audit";
import { toAuditEvent } from "@bulwark/kube";
import { errorText, type AgentRecord, type Component, type ToldRepeats } from "@bulwark/model";
import { z } from "zod";
import {
  bytesOf,
  filesOf,
  hasHead,
  headOf,
  headSize,
  notThere,
  openLog,
  type LogFile,
  type OpenLog,
} from "./audit-files.ts";

export interface AuditLogOptions {
  node: string;
  /** As the server calls it. */
  cluster: string;
  /** `--audit-log-path` of the API server. */
  file: string;
  /** Where the position is kept, so that a restart neither misses nor repeats a record. */
  state: string;
  rules: AuditRules;
  emit(records: AgentRecord[]): void;
  /** Resolves when everything that was emitted is on disk. */
  sync(): Promise<void>;
  /** Milliseconds between looks. */
  every?: number;
}

const positionShape = z.object({
  /** The newest rotated file when this one was begun. What is newer than that is this one, or came after it. */
  after: z.string(),
  /** Bytes of it that are done with, unpacked. */
  offset: z.number(),
  head: z.object({ length: z.number(), hash: z.string() }),
});
type Position = z.infer<typeof positionShape>;

/** Of one record; RequestResponse records of large objects come near. */
const longestLine = 8 * 1024 * 1024;
/** What one record may tell of. */
const repeatsAtOnce = 1000;

/**
 * Reads an API server's audit log as it grows, and through its rotations, those that happened while nobody looked among
 * them. The first start begins at the end of what is there; later ones go on where the last one was.
 */
export class AuditLog implements AsyncDisposable {
  readonly #options: AuditLogOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #open: OpenLog | undefined;
  #position: Position | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #skipping = false;
  #reason = "not read yet";
  readonly #counters = { records: 0, rotations: 0, cuts: 0, "lost.unreadable": 0, "lost.rotated": 0 };

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  health(): Component {
    const { node, file } = this.#options;
    const { records, "lost.rotated": rotated, "lost.unreadable": unreadable } = this.#counters;
    const losses = [
      ...(rotated > 0 ? [`${rotated} times a file was gone, or broken, before all of it was read`] : []),
      ...(unreadable > 0 ? [`${unreadable} lines are no records`] : []),
    ];
    const mend = [
      ...(rotated > 0 ? ["have the API server keep more files (--audit-log-maxbackup, --audit-log-maxage)"] : []),
      ...(unreadable > 0 ? [`see that ${file} is in JSON`] : []),
    ];
    const failed = this.#reason !== "";
    return {
      id: "audit-log",
      node,
      state: failed ? "failed" : losses.length > 0 ? "degraded" : "ok",
      summary: `${records} records of the API server's audit log were read`,
      reason: this.#reason || losses.join("; "),
      remedy: failed ? `see that ${file} is the API server's --audit-log-path, and can be read` : mend.join("; "),
      counters: { ...this.#counters },
      updatedAt: Date.now(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#open?.handle.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (!this.#open) await this.#begin();
        await this.#look();
        this.#reason = "";
      } catch (error) {
        this.#reason = errorText(error);
      }
      await sleep(this.#options.every ?? 500, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Where the last one was; in the file that was read then, whatever it is called now. */
  async #begin(): Promise<void> {
    const known = await this.#readState();
    const files = await filesOf(this.#options.file);
    if (known) {
      const newer = files.filter(({ name }) => name === "" || name > known.after);
      for (const file of newer) {
        if (await hasHead(file, known.head)) return this.#openAt(file, known.after, known.offset);
      }
      const [oldest] = newer;
      if (oldest) {
        this.#counters["lost.rotated"]++;
        return this.#openAt(oldest, known.after, 0);
      }
    }
    const current = files.at(-1);
    if (current?.name !== "") await stat(this.#options.file);
    if (current) await this.#openAt(current, files.at(-2)?.name ?? "", current.size);
  }

  /** Does nothing where the name has gone to another file since: the next look sees what there is then. */
  async #openAt(file: LogFile, after: string, offset: number): Promise<void> {
    const open = await openLog(file);
    if (open.inode !== file.inode) return open.handle.close();
    const before = this.#open;
    this.#position = { after, offset, head: await headOf(open) };
    this.#open = open;
    if (before) this.#counters.rotations++;
    // The end of a record that the API server did not come to write.
    if (this.#rest.length > 0) this.#counters["lost.unreadable"]++;
    this.#rest = Buffer.alloc(0);
    this.#skipping = false;
    await before?.handle.close();
    await this.#saveState();
  }

  /** Reads to the end; where the name has gone to another file, to the end of all that came in between, too. */
  async #look(): Promise<void> {
    while (this.#open && this.#position && !this.#stop.signal.aborted) {
      // Looked for first: nothing more comes into this file once there is a next one.
      const next = await this.#next(this.#open, this.#position);
      await this.#drain(this.#open, this.#position);
      if (!next || this.#stop.signal.aborted) return;
      await this.#openAt(next.file, next.after, 0);
    }
  }

  /** The file that follows; none while the API server writes into this one. */
  async #next(open: OpenLog, { after, head }: Position): Promise<{ file: LogFile; after: string } | undefined> {
    const { file } = this.#options;
    const current = await stat(file).catch(notThere);
    if (current?.ino === open.inode) return undefined;
    const files = await filesOf(file);
    let own = files.findIndex(({ inode }) => inode === open.inode);
    // Packed it is another file, with the same in it.
    for (let n = 0; own < 0 && n < files.length; n++) {
      const one = files[n];
      if (one && one.name > after && (await hasHead(one, head))) own = n;
    }
    if (own >= 0) {
      const next = files[own + 1];
      return next && { file: next, after: files[own]?.name ?? after };
    }
    // It was deleted, but what was in it is still read.
    const next = files.find(({ name }) => name === "" || name > after);
    return next && { file: next, after };
  }

  async #drain(open: OpenLog, position: Position): Promise<void> {
    if (open.isBroken) return;
    if (!open.packed && (await open.handle.stat()).size < position.offset + this.#rest.length) {
      // It was cut short: what is in it now is new.
      this.#counters.cuts++;
      position.offset = 0;
      position.head = await headOf(open);
      this.#rest = Buffer.alloc(0);
    }
    try {
      for await (const bytes of bytesOf(open, position.offset + this.#rest.length)) {
        this.#take(Buffer.concat([this.#rest, bytes]), position);
        if (position.head.length < headSize) position.head = await headOf(open);
        await this.#options.sync();
        await this.#saveState();
        if (this.#stop.signal.aborted) return;
      }
    } catch (error) {
      if (!open.packed) throw error;
      // It stays so, and those after it need not be.
      open.isBroken = true;
      this.#counters["lost.rotated"]++;
    }
  }

  /** Whole lines go on; the position is behind the last of them. */
  #take(bytes: Buffer, position: Position): void {
    const end = bytes.lastIndexOf(0x0a);
    const records: AgentRecord[] = [];
    const again: ToldRepeats[] = [];
    if (end >= 0) {
      for (const line of bytes.subarray(0, end).toString("utf8").split("\n")) {
        if (this.#skipping) this.#skipping = false;
        else if (line.trim() !== "") again.push(...this.#read(line, records));
      }
    }
    for (let at = 0; at < again.length; at += repeatsAtOnce) {
      records.push({ type: "repeats", repeats: again.slice(at, at + repeatsAtOnce) });
    }
    position.offset += end + 1;
    this.#rest = bytes.subarray(end + 1);
    if (this.#rest.length > longestLine) {
      if (!this.#skipping) this.#counters["lost.unreadable"]++;
      this.#skipping = true;
      position.offset += this.#rest.length;
      this.#rest = Buffer.alloc(0);
    }
    if (records.length > 0) this.#options.emit(records);
  }

  /** Answers with what happened again. */
  #read(line: string, records: AgentRecord[]): ToldRepeats[] {
    const { cluster, node, rules } = this.#options;
    const item = parse(line);
    const event = toAuditEvent(cluster, node, item);
    if (!event) {
      this.#counters["lost.unreadable"]++;
      return [];
    }
    this.#counters.records++;
    records.push({ type: "event", event });
    const now = Date.now();
    const { alerts, repeats } = rules.judge([{ event, item }], now);
    rules.raised(alerts, now);
    for (const alert of alerts) records.push({ type: "alert", alert });
    return repeats;
  }

  async #readState(): Promise<Position | undefined> {
    const text = await readFile(this.#options.state, "utf8").catch(notThere);
    return text === undefined ? undefined : positionShape.safeParse(parse(text)).data;
  }

  async #saveState(): Promise<void> {
    const { state } = this.#options;
    await writeFile(`${state}.new`, JSON.stringify(this.#position), { mode: 0o600 });
    await rename(`${state}.new`, state);
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
