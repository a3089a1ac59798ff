import { grantsIn, type Step, type Technique } from "../state.ts";

const group = "rbac.authorization.k8s.io";

/**
 * With `escalate` one writes rights into a role that one does not have oneself. To gain by it, the role must be bound to
 * one: changing a role that is (everybody has one, through system:authenticated) does it.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
export const escalateRole: Technique = {
  id: "escalate-role",
  title: "Writes more rights into a role than it has",
  remedy: "Take the verb escalate away; only controllers of roles need it.",
  attack: ["T1098.006"],
  *steps(from, world): Generator<Step> {
    for (const resource of ["clusterroles", "roles"] as const) {
      const clusterScoped = resource === "clusterroles";
      const escalating = world.rights(from, { verb: "escalate", group, resource, clusterScoped });
      for (const escalate of escalating) {
        const change = ["update", "patch"]
          .flatMap((verb) => world.rights(from, { verb, group, resource, clusterScoped }))
          .find(({ namespace }) => namespace === null || namespace === escalate.namespace);
        if (!change || escalate.grant === undefined) continue;
        const grants = grantsIn(escalate, change);
        if (clusterScoped) {
          const because = "may change cluster roles, and put rights into them that it does not have";
          yield { to: { kind: "cluster-admin" }, technique: "escalate-role", because, grants };
        } else {
          for (const name of world.namespaces(change.namespace ?? escalate.namespace)) {
            const because = `may change roles of namespace ${name}, and put rights into them that it does not have`;
            yield { to: { kind: "namespace", name }, technique: "escalate-role", because, grants };
          }
        }
      }
    }
  },
};
