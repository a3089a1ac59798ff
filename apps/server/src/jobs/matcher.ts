import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { JudgedVersions } from "@bulwark/benchmark/host-versions";
import type { HostPrograms, Inventory, Vulnerability } from "@bulwark/model";

/** The advisory database, in a thread of its own: it is read synchronously, and no request shall wait for that. */
export interface Matcher extends AsyncDisposable {
  /** What is weak in these packages. Undefined where there is no database; throws when it cannot be read. */
  match(inventory: Inventory): Promise<Vulnerability[] | undefined>;
  /** What is weak in the programs of a host. Undefined where there is no database; throws when it cannot be read. */
  versions(programs: HostPrograms): Promise<JudgedVersions | undefined>;
  /** Undefined where there is no database; throws when it cannot be read. */
  status(): Promise<AdvisoryStatus | undefined>;
}

export interface AdvisoryStatus {
  /** Another file has another stamp. */
  stamp: string;
  /** Milliseconds since the epoch. */
  builtAt: number;
  advisories: number;
  /** Feeds that the last update could not read, and why. */
  problems: string[];
}

/** What each kind of question asks with, and is answered with. */
interface Questions {
  match: { ask: Inventory; answer: Vulnerability[] | undefined };
  versions: { ask: HostPrograms; answer: JudgedVersions | undefined };
  status: { ask: null; answer: AdvisoryStatus | undefined };
}
type Kind = keyof Questions;
export type Question = { [K in Kind]: { id: number; kind: K; ask: Questions[K]["ask"] } }[Kind];
export type Answer = { id: number; answer: Questions[Kind]["answer"] } | { id: number; error: string };

/** The thread starts with the first question about a database that is there, and again after it died. */
export function createMatcher(databasePath: string): Matcher {
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  let worker: Worker | undefined;
  let next = 1;
  let closed = false;

  async function question<K extends Kind>(kind: K, ask: Questions[K]["ask"]): Promise<Questions[K]["answer"]> {
    if (closed) throw new Error("the server closes");
    if (!worker && !existsSync(databasePath)) return undefined;
    const thread = (worker ??= start());
    return new Promise((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      thread.postMessage({ id, kind, ask });
    });
  }

  function start(): Worker {
    const thread = new Worker(new URL("match-worker.ts", import.meta.url), { workerData: databasePath });
    thread.on("message", settle);
    thread.on("error", (error) => died(thread, error instanceof Error ? error : new Error(String(error))));
    thread.on("exit", () => died(thread, new Error("the matching thread ended")));
    thread.unref();
    return thread;
  }

  function settle(answer: Answer): void {
    const promise = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("error" in answer) promise?.reject(new Error(answer.error));
    else promise?.resolve(answer.answer as never);
  }

  function died(thread: Worker, error: Error): void {
    if (worker !== thread) return;
    worker = undefined;
    for (const promise of waiting.values()) promise.reject(error);
    waiting.clear();
  }

  return {
    match: async (inventory) => question("match", inventory),
    versions: async (programs) => question("versions", programs),
    status: async () => question("status", null),
    async [Symbol.asyncDispose]() {
      closed = true;
      await worker?.terminate();
    },
  };
}
