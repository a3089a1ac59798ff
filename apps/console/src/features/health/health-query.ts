import { queryOptions } from "@tanstack/react-query";
import { api } from "../../api/client.ts";

export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: async () => api.getHealth(),
  // Silence is no message: a node that says nothing turns bad by the clock.
  refetchInterval: 30_000,
});
