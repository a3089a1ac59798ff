import type { LiveHub } from "./hub.ts";

/** Tells open pages of which clusters flows came, however many agents tell of them. */
export interface FlowNews extends Disposable {
  /** At once where nothing was said lately; else together with all that comes until the pause is over. */
  came(clusters: Iterable<string>): void;
}

/** `pause`: a cluster is told of at most once in so many milliseconds. */
export function createFlowNews(live: Pick<LiveHub, "publish">, pause: number): FlowNews {
  const waiting = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  function tell(): void {
    timer = undefined;
    if (waiting.size === 0) return;
    for (const cluster of waiting) void live.publish("network", { cluster, what: "flows" });
    waiting.clear();
    timer = setTimeout(tell, pause).unref();
  }

  return {
    came(clusters) {
      for (const cluster of clusters) waiting.add(cluster);
      if (!timer) tell();
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
