import { api } from "../../api/client.ts";

export const benchmarksQuery = {
  queryKey: ["benchmarks"],
  queryFn: async () => api.listBenchmarks({ query: {} }),
};
