import { once } from "node:events";
import type { MessagePort } from "node:worker_threads";
import { examineFile, type FileFacts, type LayerHelp } from "@bulwark/image/reading";
import type { AnyAnalyzer, TreeEntry } from "@bulwark/image";

/** Small files go together. */
const loadSize = 512 * 1024;
/** Bytes on their way to one thread that it has not examined yet: what bounds memory. */
const window = 8 * loadSize;

/** Files for the helping thread: their contents one after the other, and what is to be asked of each. */
interface Load {
  bytes: Uint8Array<ArrayBuffer>;
  files: { names: string[]; entry: TreeEntry; length: number }[];
}
/** What was said of them, in their order, and their memory back. */
interface Answer {
  bytes: Uint8Array<ArrayBuffer>;
  said: (Pick<FileFacts, "facts" | "faults"> | null)[];
}

/**
 * Threads that have nothing else to do examine files for one that reads a layer. They are given as many as they keep up
 * with; whoever reads examines the rest himself, so that none waits for another.
 */
export class Help implements LayerHelp {
  readonly #helpers: Helper[] = [];

  /** `port` leads to a thread that serves it (`serveHelp`). */
  add(port: MessagePort): void {
    this.#helpers.push(new Helper(port));
  }

  take(wanting: readonly AnyAnalyzer[], file: FileFacts, content: Buffer): boolean {
    const helper = this.#helpers.find((one) => one.hasRoom(content.length));
    helper?.give(wanting, file, content);
    return helper !== undefined;
  }

  async done(): Promise<void> {
    await Promise.all(this.#helpers.map(async (helper) => helper.done()));
  }

  close(): void {
    for (const helper of this.#helpers) helper.close();
  }
}

class Helper {
  readonly #port: MessagePort;
  /** Files of each load that is on its way, in the order in which answers come. */
  readonly #sent: FileFacts[][] = [];
  #load: Load = { bytes: new Uint8Array(loadSize), files: [] };
  #files: FileFacts[] = [];
  #filled = 0;
  #underWay = 0;
  #ended = false;
  #spare: Uint8Array<ArrayBuffer>[] = [];
  #wake = (): void => {};

  constructor(port: MessagePort) {
    this.#port = port;
    port.on("message", (answer: Answer) => this.#answered(answer));
    port.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  hasRoom(length: number): boolean {
    return !this.#ended && this.#underWay + this.#filled + length <= window;
  }

  give(wanting: readonly AnyAnalyzer[], file: FileFacts, content: Buffer): void {
    if (this.#filled + content.length > this.#load.bytes.length) this.#send();
    if (content.length > this.#load.bytes.length) {
      this.#keep(this.#load.bytes);
      this.#load.bytes = new Uint8Array(content.length);
    }
    this.#load.bytes.set(content, this.#filled);
    this.#filled += content.length;
    this.#load.files.push({ names: wanting.map(({ name }) => name), entry: file.entry, length: content.length });
    this.#files.push(file);
  }

  async done(): Promise<void> {
    this.#send();
    while (this.#sent.length > 0) {
      if (this.#ended) throw new Error("its examination broke off: a thread that helped ended");
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    this.#port.close();
  }

  #send(): void {
    if (this.#files.length === 0) return;
    this.#sent.push(this.#files);
    this.#underWay += this.#load.bytes.length;
    this.#port.postMessage(this.#load, [this.#load.bytes.buffer]);
    this.#load = { bytes: this.#spare.pop() ?? new Uint8Array(loadSize), files: [] };
    this.#files = [];
    this.#filled = 0;
  }

  #answered({ bytes, said }: Answer): void {
    this.#underWay -= bytes.length;
    this.#keep(bytes);
    this.#sent.shift()?.forEach((file, at) => Object.assign(file, said[at]));
    this.#wake();
  }

  /** The memory of an ordinary load is used again. */
  #keep(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length === loadSize) this.#spare.push(bytes);
  }
}

/** The helping end: examines what comes until the port is closed. */
export async function serveHelp(port: MessagePort, analyzers: readonly AnyAnalyzer[]): Promise<void> {
  const byName = new Map(analyzers.map((analyzer) => [analyzer.name, analyzer]));
  port.on("message", ({ bytes, files }: Load) => {
    let at = 0;
    const said = files.map(({ names, entry, length }): Answer["said"][number] => {
      const content = Buffer.from(bytes.buffer, at, length);
      at += length;
      const found = examineFile(
        names.flatMap((name) => byName.get(name) ?? []),
        entry,
        content,
      );
      return found ? { facts: found.facts, faults: found.faults } : null;
    });
    port.postMessage({ bytes, said } satisfies Answer, [bytes.buffer]);
  });
  await once(port, "close");
}
