import { queryOptions } from "@tanstack/react-query";
import { api, type Answer } from "../../api/client.ts";
import { spanMs, type Span } from "./search.ts";

export type EdgesAnswer = Answer<"listNetworkEdges">;

/** As many as a map is drawn from; the server says how many there are beyond. */
const most = 10_000;
const many = 2000;

export function edgesQuery(cluster: string | undefined, span: Span) {
  return queryOptions({
    queryKey: ["network-edges", cluster, span],
    queryFn: async () => api.listNetworkEdges({ query: { cluster, since: Date.now() - spanMs[span], limit: most } }),
    // What agents tell comes by the minute; a large answer is not asked for as often.
    refetchInterval: ({ state }) => ((state.data?.items.length ?? 0) > many ? 180_000 : 30_000),
  });
}
