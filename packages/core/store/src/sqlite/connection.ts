import { Worker } from "node:worker_threads";
import type { Reply, Request, WorkerOptions } from "./messages.ts";

/** What SQLite said, with its result code (https://sqlite.org/rescode.html). */
export class SqliteError extends Error {
  readonly code: number | undefined;
  constructor(message: string, code: number | undefined) {
    super(message);
    this.name = "SqliteError";
    this.code = code;
  }
}

export interface Rows {
  rows: unknown[];
  changes: number;
}

type Unsent = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

/** One SQLite connection in a thread of its own. Requests are answered in the order in which they were made. */
export class Connection {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (rows: Rows) => void; reject: (error: Error) => void }>();
  #next = 1;
  #dead: Error | undefined;

  constructor(options: WorkerOptions) {
    this.#worker = new Worker(new URL("thread.ts", import.meta.url), { workerData: options });
    this.#worker.on("message", (reply: Reply) => this.#settle(reply));
    this.#worker.on("error", (error) => this.#die(error));
    this.#worker.on("exit", () => this.#die(new SqliteError("the connection is closed", undefined)));
  }

  async query(sql: string, parameters: readonly unknown[]): Promise<Rows> {
    return this.#send({ kind: "query", sql, parameters });
  }

  /** One statement for each row, prepared once. */
  async many(sql: string, rows: readonly (readonly unknown[])[]): Promise<Rows> {
    return this.#send({ kind: "many", sql, rows });
  }

  /** Statements without parameters and rows, run to their end. */
  async script(sql: string): Promise<void> {
    await this.#send({ kind: "script", sql });
  }

  async close(): Promise<void> {
    if (this.#dead) return;
    const exit = new Promise((resolve) => this.#worker.once("exit", resolve));
    await this.#send({ kind: "close" }).catch(() => undefined);
    await exit;
  }

  async #send(request: Unsent): Promise<Rows> {
    if (this.#dead) throw this.#dead;
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...request });
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("error" in reply) waiting?.reject(new SqliteError(reply.error.message, reply.error.code));
    else waiting?.resolve(reply);
  }

  #die(error: Error): void {
    this.#dead ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
