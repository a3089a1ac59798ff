import { api } from "../../api/client.ts";

/** As many as are shown; the whole list is a page of its own. */
export function violationsQuery(policy: string) {
  return {
    queryKey: ["policy-violations", "of", policy],
    queryFn: async () => api.listPolicyViolations({ query: { policy, limit: 500 } }),
  };
}
