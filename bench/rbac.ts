/**
 * `npm run bench rbac`: the graph of a large cluster (5,000 roles, 50,000 bindings, 2,000 service accounts) from its
 * objects, one question, and the ways to cluster-admin from a subject, against the limit of 5 seconds for all of it.
 */
import { createGraph, dangers, parseState } from "@bulwark/rbac";

const limitSeconds = 5;
const roles = 5000;
const bindings = 50_000;
const namespaces = 200;

function objects(): Record<string, unknown>[] {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const resources = ["pods", "services", "configmaps", "secrets", "deployments", "pods/exec", "jobs", "events"];
  const verbs = ["get", "list", "watch", "create", "update", "patch", "delete"];
  const made: Record<string, unknown>[] = [
    {
      kind: "ClusterRole",
      metadata: { name: "cluster-admin" },
      rules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
    },
    {
      kind: "ClusterRoleBinding",
      metadata: { name: "operator" },
      roleRef: { kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ kind: "ServiceAccount", namespace: "ns-1", name: "account-1" }],
    },
    {
      kind: "ClusterRole",
      metadata: { name: "runner" },
      rules: [{ verbs: ["create"], apiGroups: [""], resources: ["pods"] }],
    },
    {
      kind: "RoleBinding",
      metadata: { name: "runner", namespace: "ns-1" },
      roleRef: { kind: "ClusterRole", name: "runner" },
      subjects: [{ kind: "User", name: "user-1" }],
    },
  ];
  for (let index = 0; index < roles; index++) {
    const rules = Array.from({ length: 1 + random(4) }, () => ({
      apiGroups: [["", "apps", "batch"][random(3)]],
      resources: [resources[random(resources.length)]],
      verbs: [verbs[random(verbs.length)], verbs[random(verbs.length)]],
    }));
    made.push({ kind: "ClusterRole", metadata: { name: `role-${index}` }, rules });
  }
  for (let index = 0; index < bindings; index++) {
    const namespace = `ns-${random(namespaces)}`;
    made.push({
      kind: "RoleBinding",
      metadata: { name: `binding-${index}`, namespace },
      roleRef: { kind: "ClusterRole", name: `role-${random(roles)}` },
      subjects: [
        random(3) === 0
          ? { kind: "User", name: `user-${random(2000)}` }
          : { kind: "ServiceAccount", namespace, name: `account-${random(10)}` },
      ],
    });
  }
  return made;
}

const cluster = objects();
const started = performance.now();
const graph = createGraph(cluster);
const built = performance.now();
const who = graph.whoCan({ verb: "get", group: "", resource: "secrets" }).length;
const asked = performance.now();
const paths = graph.paths(parseState("user:user-1"), "cluster-admin", { most: 20 });
const found = performance.now();
const risky = dangers(graph).length;
const ended = performance.now();

const ms = (from: number, to: number): string => `${(to - from).toFixed(0)} ms`.padStart(9);
console.log(`${roles} roles, ${bindings} bindings, ${graph.subjects().length} subjects`);
console.log(`graph from objects         ${ms(started, built)}`);
console.log(`who-can get secrets        ${ms(built, asked)}   ${who} grants`);
console.log(
  `ways to cluster-admin      ${ms(asked, found)}   ${paths.length} ways, shortest ${paths[0]?.steps.length ?? "none"}`,
);
console.log(`dangerous grants           ${ms(found, ended)}   ${risky}`);
const seconds = (ended - started) / 1000;
console.log(
  `all                        ${ms(started, ended)}   ${(seconds / limitSeconds).toFixed(2)} of the limit of ${limitSeconds} s`,
);
process.exitCode = seconds <= limitSeconds ? 0 : 1;
