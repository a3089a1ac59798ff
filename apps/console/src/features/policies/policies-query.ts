import { api } from "../../api/client.ts";

export const policiesQuery = {
  queryKey: ["policies"],
  queryFn: async () => api.listPolicies(),
  // Decisions and looks at what runs come by themselves.
  refetchInterval: 15_000,
};
