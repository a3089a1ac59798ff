import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeError } from "./error.ts";

/** The result of `work`, or a `RuntimeError` when it takes longer than `limit` milliseconds; it is then not waited for any more. */
export async function within<T>(limit: number, what: string, work: Promise<T>): Promise<T> {
  const stopping = new AbortController();
  const late = sleep(limit, undefined, { signal: stopping.signal }).then(() => {
    throw new RuntimeError("failed", `${what}: no answer within ${limit / 1000} seconds`, {
      remedy: "see whether the runtime hangs; it is asked again by itself",
    });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stopping.abort();
    late.catch(() => undefined);
  }
}

/** Like `Promise.all` over `map`, with so many at a time. The first failure ends it. */
export async function mapLimited<T, R>(items: readonly T[], limit: number, map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  return results;
}
