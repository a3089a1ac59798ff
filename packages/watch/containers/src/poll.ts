import type { Watch } from "./registry.ts";

/** For runtimes without events: says every `interval` milliseconds that something may have changed. */
export function poll(interval: number, changed: () => void): Watch {
  const timer = setInterval(changed, interval);
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return {
    ended,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      end();
    },
  };
}
