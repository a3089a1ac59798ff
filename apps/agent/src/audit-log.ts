import { open, readdir, readFile, rename, stat, writeFile, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { toAuditEvent } from "@bulwark/kube";
import { errorText, systemCode, type AgentRecord, type Component } from "@bulwark/model";

export interface AuditLogOptions {
  node: string;
  /** As the server calls it. */
  cluster: string;
  /** `--audit-log-path` of the API server. */
  file: string;
  /** Where the position is kept, so that a restart neither misses nor repeats a record. */
  state: string;
  emit(records: AgentRecord[]): void;
  /** Resolves when everything that was emitted is on disk. */
  sync(): Promise<void>;
  /** Milliseconds between looks. */
  every?: number;
}

interface Position {
  inode: number;
  offset: number;
}

const chunkSize = 1024 * 1024;
/** Of one record; RequestResponse records of large objects come near. */
const longestLine = 8 * 1024 * 1024;

/**
 * Reads an API server's audit log as it grows, and through its rotation: the API server renames the full file and begins
 * a new one. The first start begins at the end of what is there; later ones go on where the last one was.
 */
export class AuditLog implements AsyncDisposable {
  readonly #options: AuditLogOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #file: FileHandle | undefined;
  #position: Position | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #skipping = false;
  #reason = "not read yet";
  readonly #counters = { records: 0, rotations: 0, "lost.unreadable": 0, "lost.rotated": 0 };

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  health(): Component {
    const lost = this.#counters["lost.unreadable"] + this.#counters["lost.rotated"];
    const state = this.#reason !== "" ? "failed" : lost > 0 ? "degraded" : "ok";
    const { node, file } = this.#options;
    return {
      id: "audit-log",
      node,
      state,
      summary: `${this.#counters.records} records of the API server's audit log were read`,
      reason: this.#reason || (lost > 0 ? `${lost} records, or files that were rotated away, could not be read` : ""),
      remedy: state === "ok" ? "" : `see that ${file} is the API server's --audit-log-path, in JSON, and can be read`,
      counters: { ...this.#counters },
      updatedAt: Date.now(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#file?.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (!this.#file) await this.#begin();
        else await this.#look();
        this.#reason = "";
      } catch (error) {
        this.#reason = errorText(error);
      }
      await sleep(this.#options.every ?? 500, undefined, { signal }).catch(() => undefined);
    }
  }

  async #begin(): Promise<void> {
    const { file } = this.#options;
    const known = await this.#readState();
    const current = await stat(file);
    if (known && known.inode !== current.ino) {
      const rotated = await this.#findRotated(known.inode);
      if (rotated === undefined) this.#counters["lost.rotated"]++;
      else {
        await this.#openAt(rotated, known);
        await this.#look();
        return;
      }
    }
    const offset =
      known?.inode === current.ino && known.offset <= current.size ? known.offset : known ? 0 : current.size;
    await this.#openAt(file, { inode: current.ino, offset });
    await this.#saveState();
  }

  async #openAt(path: string, position: Position): Promise<void> {
    this.#file = await open(path, "r");
    // The name may have gone to another file in between.
    const { ino } = await this.#file.stat();
    this.#position = ino === position.inode ? position : { inode: ino, offset: 0 };
    this.#rest = Buffer.alloc(0);
    this.#skipping = false;
  }

  /** Reads to the end; where the name has gone to another file, to the end of that one, too. */
  async #look(): Promise<void> {
    for (;;) {
      const { file } = this.#options;
      const named = await stat(file).catch((error: unknown) => {
        if (systemCode(error) === "ENOENT") return undefined;
        throw error;
      });
      await this.#drain();
      if (!named || !this.#position || named.ino === this.#position.inode) return;
      // It was renamed before the last drain: nothing more comes into it.
      await this.#file?.close();
      this.#counters.rotations++;
      await this.#openAt(file, { inode: named.ino, offset: 0 });
    }
  }

  async #drain(): Promise<void> {
    const file = this.#file;
    const position = this.#position;
    if (!file || !position) return;
    const { size } = await file.stat();
    if (size < position.offset + this.#rest.length) {
      // It was cut short: what is in it now is new.
      position.offset = 0;
      this.#rest = Buffer.alloc(0);
    }
    while (!this.#stop.signal.aborted) {
      const from = position.offset + this.#rest.length;
      const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkSize), 0, chunkSize, from);
      if (bytesRead === 0) return;
      this.#take(Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]), position);
      await this.#options.sync();
      await this.#saveState();
    }
  }

  /** Whole lines go on; the position is behind the last of them. */
  #take(bytes: Buffer, position: Position): void {
    const end = bytes.lastIndexOf(0x0a);
    const records: AgentRecord[] = [];
    if (end >= 0) {
      for (const line of bytes.subarray(0, end).toString("utf8").split("\n")) {
        if (this.#skipping) this.#skipping = false;
        else if (line.trim() !== "") this.#read(line, records);
      }
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

  #read(line: string, records: AgentRecord[]): void {
    const { cluster, node } = this.#options;
    const event = toAuditEvent(cluster, node, parse(line));
    if (!event) {
      this.#counters["lost.unreadable"]++;
      return;
    }
    this.#counters.records++;
    records.push({ type: "event", event });
  }

  async #findRotated(inode: number): Promise<string | undefined> {
    const folder = dirname(this.#options.file);
    const stem = basename(this.#options.file).replace(/\.[^.]*$/, "");
    for (const name of await readdir(folder)) {
      if (!name.startsWith(stem)) continue;
      const found = await stat(join(folder, name)).catch(() => undefined);
      if (found?.ino === inode) return join(folder, name);
    }
    return undefined;
  }

  async #readState(): Promise<Position | undefined> {
    const text = await readFile(this.#options.state, "utf8").catch(() => undefined);
    const told = text === undefined ? undefined : (parse(text) as Partial<Position> | undefined);
    if (typeof told?.inode !== "number" || typeof told.offset !== "number") return undefined;
    return { inode: told.inode, offset: told.offset };
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
