import type { Watch } from "./registry.ts";

/** For runtimes without events: says every `interval` milliseconds that something may have changed. */
export function poll(interval: number, changed: () => void): Watch {
  const timer = setInterval(changed, interval);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  return {
    ended,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      resolve();
    },
  };
}
