import { statfs } from "node:fs/promises";
import type { Store } from "@bulwark/store";
import { Refusal } from "../http/problem.ts";

/** Stops ingest while there is still room to work, so that nothing breaks in the middle of a write. */
export interface DiskGuard {
  /** Free bytes under the data folder; null where the database is elsewhere. */
  free(): Promise<number | null>;
  /** Refuses with `full` when there is less than the floor. */
  check(): Promise<void>;
}

export function createDiskGuard(folder: string, store: Store, floor: number): DiskGuard {
  let known = { at: 0, free: null as number | null };

  async function free(): Promise<number | null> {
    if (store.engine !== "sqlite") return null;
    if (Date.now() - known.at < 1000) return known.free;
    const { bavail, bsize } = await statfs(folder);
    known = { at: Date.now(), free: bavail * bsize };
    return known.free;
  }

  async function check(): Promise<void> {
    const left = await free();
    if (left === null || left >= floor) return;
    throw new Refusal("full", `only ${megabytes(left)} MB are free for the database; nothing was stored`, {
      remedy: `make room in ${folder}, or lower retention.size`,
      retryAfter: 60,
    });
  }

  return { free, check };
}

export function megabytes(bytes: number): number {
  return Math.floor(bytes / 1e6);
}
