import type { LiveHub } from "./hub.ts";
import { createNews, type News } from "./news.ts";

/** Tells open pages of which clusters flows came, however many agents tell of them. */
export type FlowNews = News<string>;

/** `pause`: a cluster is told of at most once in so many milliseconds. */
export function createFlowNews(live: Pick<LiveHub, "publish">, pause: number): FlowNews {
  return createNews({
    ...{ what: "flows", pause, most: 10_000 },
    keyOf: (cluster) => cluster,
    merge: (cluster) => cluster,
    tell(clusters) {
      for (const cluster of clusters) void live.publish("network", { cluster, what: "flows" });
    },
  });
}
