import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { errorText } from "@bulwark/model";
import type { Logger } from "@bulwark/telemetry";
import type { Spool, SpoolBatch } from "./spool.ts";

export interface UplinkOptions {
  server: string;
  token: string;
  node: string;
  spool: Spool;
  log: Logger;
}

export interface UplinkState {
  /** `ok` while the last batch was taken. */
  state: "ok" | "away" | "refused" | "full";
  reason: string;
  sent: number;
  /** Records that the server would never take, one by one; each is in the log. */
  poisonous: number;
}

const recordsAtOnce = 5000;
const bytesAtOnce = 6_000_000;
const compressAbove = 16_384;
const answerTimeout = 30_000;
const firstDelay = 250;
const lastDelay = 15_000;
const compress = promisify(gzip);

/**
 * Sends the spool to the server, in order, and lets the spool forget what the server has on disk. The server away, full
 * or restarting is an ordinary state: it is tried again with growing pauses, for ever.
 */
export class Uplink {
  readonly state: UplinkState = { state: "away", reason: "nothing sent yet", sent: 0, poisonous: 0 };
  readonly #options: UplinkOptions;
  readonly #url: string;
  #position = 0;
  #wake: (() => void) | undefined;
  #signalled = false;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#url = new URL("/api/agent/v1/records", options.server).href;
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
      const batch = await this.#options.spool.read(this.#position, recordsAtOnce, bytesAtOnce);
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

  /** True when the batch, or a part of it, is behind us. */
  async #send(batch: SpoolBatch): Promise<boolean> {
    const { state } = this;
    let response: Response;
    try {
      response = await this.#post(batch);
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      Object.assign(state, { state: "away", reason: `the server cannot be reached: ${errorText(cause)}` });
      return false;
    }
    const body: unknown = await response.json().catch(() => undefined);
    if (response.ok) {
      const stored = numberIn(body, "stored") ?? batch.first + batch.records.length - 1;
      this.#position = Math.max(stored, batch.first + batch.records.length - 1);
      state.sent += batch.records.length;
      Object.assign(state, { state: "ok", reason: "" });
      await this.#options.spool.acknowledge(stored);
      return true;
    }
    const reason = `the server answered ${response.status}: ${textIn(body, "message") ?? ""}`;
    if (response.status === 401 || response.status === 403) {
      Object.assign(state, { state: "refused", reason });
      return false;
    }
    if (response.status === 413 || response.status === 400 || response.status === 422)
      return this.#isolate(batch, reason);
    Object.assign(state, { state: response.status === 507 ? "full" : "away", reason });
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

  async #post({ first, records }: SpoolBatch): Promise<Response> {
    const { node, spool, token } = this.#options;
    const head = JSON.stringify({ node, spool: spool.id, first }).slice(0, -1);
    // The spool keeps JSON: it is put together as text, and never parsed here.
    const text = Buffer.from(`${head},"records":[${records.join(",")}]}`);
    const small = text.length < compressAbove;
    const headers: Record<string, string> = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...(!small && { "content-encoding": "gzip" }),
    };
    const body = small ? text : await compress(text, { level: 1 });
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(answerTimeout)]);
    return fetch(this.#url, { method: "POST", headers, body, signal });
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
