import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { BulwarkError, errorText } from "@bulwark/model";
import type { Logger } from "@bulwark/telemetry";
import type { Answer, Connection } from "./connection.ts";
import type { Spool, SpoolBatch } from "./spool.ts";

export interface UplinkOptions {
  connection: Connection;
  node: string;
  spool: Spool;
  log: Logger;
  /** Revision of the settings that the server has. */
  onSettings(revision: number): void;
}

export interface UplinkState {
  /** `ok` while the last batch was taken. */
  state: "ok" | "away" | "refused" | "full" | "unreadable";
  reason: string;
  /** What would mend it, where whoever refused has said so. */
  remedy: string;
  sent: number;
  /** Records that the server would never take, one by one; each is in the log. */
  poisonous: number;
}

const recordsAtOnce = 5000;
const bytesAtOnce = 6_000_000;
const compressAbove = 16_384;
/** A server that took too long gets less at a time. */
const recordsAtLeast = 100;
const firstDelay = 250;
const lastDelay = 5000;
const compress = promisify(gzip);

/**
 * Sends the spool to the server, in order, and lets the spool forget what the server has on disk. The server away, full
 * or restarting is an ordinary state: it is tried again with growing pauses, for ever.
 */
export class Uplink {
  readonly state: UplinkState = { state: "away", reason: "nothing sent yet", remedy: "", sent: 0, poisonous: 0 };
  readonly #options: UplinkOptions;
  #atOnce = recordsAtOnce;
  #position = 0;
  #wake: (() => void) | undefined;
  #signalled = false;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** There is something new on disk. */
  kick(): void {
    this.#signalled = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    let delay = firstDelay;
    while (!this.#stopping.signal.aborted) {
      this.#signalled = false;
      const batch = await this.#next();
      if (!batch) {
        await this.#pause(1000, true);
        continue;
      }
      if (await this.#send(batch)) {
        delay = firstDelay;
        continue;
      }
      await this.#pause(delay * (0.75 + Math.random() / 2), false);
      delay = Math.min(delay * 2, lastDelay);
    }
  }

  /** Undefined where nothing waits, or the disk cannot be read. */
  async #next(): Promise<SpoolBatch | undefined> {
    try {
      return await this.#options.spool.read(this.#position, this.#atOnce, bytesAtOnce);
    } catch (error) {
      const reason = `the spool cannot be read: ${errorText(error)}`;
      if (this.state.reason !== reason) this.#options.log.error({ reason }, "nothing is sent until it can");
      Object.assign(this.state, { state: "unreadable", reason });
      return undefined;
    }
  }

  /** True when the batch, or a part of it, is behind us. */
  async #send(batch: SpoolBatch): Promise<boolean> {
    const { state } = this;
    let answer: Answer;
    try {
      answer = await this.#post(batch);
    } catch (error) {
      if (error instanceof BulwarkError) {
        const refused = error.code !== "away";
        const { remedy = "" } = error;
        Object.assign(state, { state: refused ? "refused" : "away", reason: errorText(error), remedy });
        return false;
      }
      this.#atOnce = Math.max(recordsAtLeast, Math.floor(this.#atOnce / 2));
      Object.assign(state, { state: "away", reason: `the server cannot be reached: ${errorText(error)}`, remedy: "" });
      return false;
    }
    const { status, body } = answer;
    if (status === 200) {
      this.#atOnce = Math.min(recordsAtOnce, this.#atOnce * 2);
      const settings = numberIn(body, "settings");
      if (settings !== undefined) this.#options.onSettings(settings);
      const stored = numberIn(body, "stored") ?? batch.first + batch.records.length - 1;
      this.#position = Math.max(stored, batch.first + batch.records.length - 1);
      state.sent += batch.records.length;
      Object.assign(state, { state: "ok", reason: "", remedy: "" });
      await this.#options.spool.acknowledge(stored);
      return true;
    }
    const reason = `the server answered ${status}: ${textIn(body, "message") ?? ""}`;
    const remedy = textIn(body, "remedy") ?? "";
    if (status === 401 || status === 403) {
      Object.assign(state, { state: "refused", reason, remedy });
      return false;
    }
    if (status === 413 || status === 400 || status === 422) return this.#isolate(batch, reason);
    Object.assign(state, { state: status === 507 ? "full" : "away", reason, remedy });
    return false;
  }

  /** The server will never take this batch: halve it until the record that is to blame stands alone, and pass over that one. */
  async #isolate(batch: SpoolBatch, reason: string): Promise<boolean> {
    const { first, records } = batch;
    if (records.length === 1) {
      this.state.poisonous++;
      this.#options.log.error({ reason, record: records[0]?.slice(0, 500) }, "a record is refused and passed over");
      this.#position = first;
      await this.#options.spool.acknowledge(first);
      return true;
    }
    const half = Math.ceil(records.length / 2);
    return this.#send({ first, records: records.slice(0, half) });
  }

  async #post({ first, records }: SpoolBatch): Promise<Answer> {
    const { node, spool, connection } = this.#options;
    const head = JSON.stringify({ node, spool: spool.id, first }).slice(0, -1);
    // The spool keeps JSON: it is put together as text, and never parsed here.
    const text = Buffer.from(`${head},"records":[${records.join(",")}]}`);
    const small = text.length < compressAbove;
    const sending = small ? { body: text } : { body: await compress(text, { level: 1 }), encoding: "gzip" as const };
    return connection.call("POST", "/api/agent/v1/records", sending, this.#stopping.signal);
  }

  async #pause(milliseconds: number, untilKicked: boolean): Promise<void> {
    if (this.#stopping.signal.aborted || (untilKicked && this.#signalled)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        if (!untilKicked && !this.#stopping.signal.aborted) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

function numberIn(body: unknown, key: string): number | undefined {
  const value = typeof body === "object" && body !== null ? (body as Record<string, unknown>)[key] : undefined;
  return typeof value === "number" ? value : undefined;
}

function textIn(body: unknown, key: string): string | undefined {
  const value = typeof body === "object" && body !== null ? (body as Record<string, unknown>)[key] : undefined;
  return typeof value === "string" ? value : undefined;
}
