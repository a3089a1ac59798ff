import { queryOptions } from "@tanstack/react-query";
import { api } from "../../api/client.ts";

export const overviewQuery = queryOptions({
  queryKey: ["overview"],
  queryFn: async () => api.getOverview(),
  // The hours of the chart move on even when nothing happens.
  refetchInterval: 60_000,
});
