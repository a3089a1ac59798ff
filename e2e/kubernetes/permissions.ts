import type { Cluster } from "../cluster/cluster.ts";

export interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

export function permissionsOf(cluster: Cluster, role: string): Rule[] {
  return (cluster.get("clusterrole", role) as { rules: Rule[] }).rules;
}

/** Takes resources out of a role until it is disposed of. */
export function without(
  cluster: Cluster,
  role: string,
  resources: string[],
): AsyncDisposable & { resources: string[] } {
  const rules = permissionsOf(cluster, role);
  const set = (value: Rule[]): void => {
    const patch = JSON.stringify([{ op: "replace", path: "/rules", value }]);
    cluster.kubectl("patch", "clusterrole", role, "--type=json", "-p", patch);
  };
  const rest = rules
    .map((rule) => ({
      ...rule,
      resources: rule.resources.filter((name) => rule.resourceNames || !resources.includes(name)),
    }))
    .filter((rule) => rule.resources.length > 0);
  set(rest);
  return { resources, [Symbol.asyncDispose]: async () => set(rules) };
}
