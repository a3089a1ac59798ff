import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { databaseStatus, type DatabaseStatus } from "./database.ts";
import { AdvisoryError } from "./error.ts";
import type { UpdateJob, UpdateMessage } from "./update-thread.ts";

export interface UpdateOptions {
  /** The database file. The one that is there stays in use until the new one is whole. */
  into: string;
  /** A folder or an address that is laid out like a mirror; the official addresses where it is absent. */
  from?: string | undefined;
  onProgress?: (text: string) => void;
}

/**
 * Reads the public feeds into a new database, in a thread of its own. A feed that fails is in the status and keeps what
 * it had; raises `AdvisoryError` `nothing-read` when not one could be read.
 */
export async function updateDatabase({ into, from, onProgress }: UpdateOptions): Promise<DatabaseStatus> {
  await mkdir(dirname(into), { recursive: true });
  const job: UpdateJob = { into, from };
  const worker = new Worker(new URL("update-thread.ts", import.meta.url), { workerData: job });
  await new Promise<void>((resolve, reject) => {
    worker.on("message", (message: UpdateMessage) => {
      if (message.type === "progress") onProgress?.(message.text);
      else if (message.type === "done") resolve();
      else reject(failure(message));
    });
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("the update ended before it was done")));
  });
  await worker.terminate();
  return databaseStatus(into);
}

function failure({ text, nothing }: Extract<UpdateMessage, { type: "failed" }>): Error {
  if (!nothing) return new Error(text);
  return new AdvisoryError("nothing-read", `no advisory feed could be read: ${text}`, {
    remedy: "let this machine reach the feeds, or name a mirror with --from",
  });
}
