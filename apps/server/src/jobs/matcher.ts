import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Inventory, Vulnerability } from "@bulwark/model";

/** Holds inventories against the advisory database in a thread of its own, so that no request waits for it. */
export interface Matcher extends AsyncDisposable {
  /** Undefined where there is no advisory database. Throws when it cannot be read. */
  match(inventory: Inventory): Promise<Vulnerability[] | undefined>;
}

export interface MatchRequest {
  id: number;
  inventory: Inventory;
}
export type MatchAnswer =
  | { id: number; vulnerabilities: Vulnerability[] | undefined; error?: undefined }
  | { id: number; error: string };

/** The thread starts with the first image, and again after it died. */
export function createMatcher(databasePath: string): Matcher {
  const waiting = new Map<number, PromiseWithResolvers<Vulnerability[] | undefined>>();
  let worker: Worker | undefined;
  let next = 1;
  let closed = false;

  function match(inventory: Inventory): Promise<Vulnerability[] | undefined> {
    if (closed) return Promise.reject(new Error("the server closes"));
    const id = next++;
    const answer = Promise.withResolvers<Vulnerability[] | undefined>();
    waiting.set(id, answer);
    worker ??= start();
    worker.postMessage({ id, inventory } satisfies MatchRequest);
    return answer.promise;
  }

  function start(): Worker {
    const thread = new Worker(new URL("match-worker.ts", import.meta.url), { workerData: databasePath });
    thread.on("message", (answer: MatchAnswer) => settle(answer));
    thread.on("error", (error) => died(thread, error instanceof Error ? error : new Error(String(error))));
    thread.on("exit", () => died(thread, new Error("the matching thread ended")));
    thread.unref();
    return thread;
  }

  function settle(answer: MatchAnswer): void {
    const promise = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) promise?.resolve(answer.vulnerabilities);
    else promise?.reject(new Error(answer.error));
  }

  function died(thread: Worker, error: Error): void {
    if (worker !== thread) return;
    worker = undefined;
    for (const promise of waiting.values()) promise.reject(error);
    waiting.clear();
  }

  async function dispose(): Promise<void> {
    closed = true;
    const thread = worker;
    if (!thread) return;
    const gone = once(thread, "exit");
    await thread.terminate();
    await gone.catch(() => undefined);
  }

  return { match, [Symbol.asyncDispose]: dispose };
}
