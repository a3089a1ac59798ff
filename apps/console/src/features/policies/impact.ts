import type { PolicyViolation } from "@bulwark/model";
import { api } from "../../api/client.ts";

/** As many as are shown; the whole list is a page of its own. */
export function violationsQuery(policy: string) {
  return {
    queryKey: ["policy-violations", "of", policy],
    queryFn: async () => api.listPolicyViolations({ query: { policy, limit: 500 } }),
  };
}

/** Namespaces of a text, separated by commas or spaces; null where one is none. */
export function namespacesIn(text: string): string[] | null {
  const names = text.split(/[\s,]+/).filter((name) => name !== "");
  return names.every((name) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) ? [...new Set(names)] : null;
}

/** Workloads that would be denied, without those of namespaces that are left out. */
export function deniedBut(violations: readonly PolicyViolation[], excluded: readonly string[]): PolicyViolation[] {
  return violations.filter(({ verdict, namespace }) => verdict === "denied" && !excluded.includes(namespace));
}
