import { Worker, type MessagePort } from "node:worker_threads";
import type { ClusterSource } from "../kubernetes/sources.ts";

/** What a thread is asked: what is known of checks, or how a cluster is set up. */
export type BenchmarkJob =
  | { kind: "catalogue" }
  | {
      kind: "cluster";
      name: string;
      source: ClusterSource;
      /** File of the advisory database, which may not be there. */
      advisories: string;
    };

/** The pod's own where nothing is said. */
export interface ClusterAccess {
  kubeconfig?: string;
  context?: string;
}

/** A large cluster is a hundred thousand objects. */
const heapLimitMegabytes = 2048;
const timeLimit = 600_000;

/** Runs a job in a thread of its own. Raises what the job raises, and an error where it takes too long or is broken off. */
export async function inThread<T>(
  job: BenchmarkJob,
  { signal, transfer = [] }: { signal?: AbortSignal; transfer?: readonly MessagePort[] } = {},
): Promise<T> {
  const worker = new Worker(new URL("benchmark-worker.ts", import.meta.url), {
    workerData: job,
    transferList: [...transfer],
    resourceLimits: { maxOldGenerationSizeMb: heapLimitMegabytes },
  });
  const end = (): void => void worker.terminate();
  const timer = setTimeout(end, timeLimit);
  signal?.addEventListener("abort", end, { once: true });
  try {
    return await new Promise<T>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error("the look at it was broken off")));
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
    await worker.terminate();
  }
}
