import { grantsIn, type Step, type Technique } from "../state.ts";

const group = "rbac.authorization.k8s.io";

/** With `bind` one gives oneself a role whose rights one does not have. `names` are the roles that it may give. */
export const bindRole: Technique = {
  id: "bind-role",
  title: "Gives itself a stronger role",
  remedy: "Limit bind to the roles that must be given (resourceNames), or take it away.",
  attack: ["T1098.006"],
  *steps(from, world): Generator<Step> {
    const clusterWide = { group, clusterScoped: true };
    const writes = ["create", "update", "patch"];
    const binds = world
      .rights(from, { verb: "bind", group, resource: "clusterroles" })
      .filter(({ names }) => names.length === 0 || names.some((name) => isStrong(name)));
    const everywhere = writes
      .flatMap((verb) => world.rights(from, { verb, resource: "clusterrolebindings", ...clusterWide }))
      .at(0);
    const inNamespaces = writes.flatMap((verb) => world.rights(from, { verb, group, resource: "rolebindings" }));
    for (const bind of binds) {
      if (bind.grant === undefined) continue;
      if (everywhere && bind.namespace === null) {
        const because = "may bind itself to cluster-admin";
        yield { to: { kind: "cluster-admin" }, technique: "bind-role", because, grants: grantsIn(bind, everywhere) };
      }
      for (const write of inNamespaces) {
        if (bind.namespace !== null && write.namespace !== null && bind.namespace !== write.namespace) continue;
        for (const name of world.namespaces(write.namespace ?? bind.namespace)) {
          const because = `may bind itself to cluster-admin inside namespace ${name}`;
          yield { to: { kind: "namespace", name }, technique: "bind-role", because, grants: grantsIn(bind, write) };
        }
      }
    }
  },
};

function isStrong(name: string): boolean {
  return name === "cluster-admin" || name === "admin" || name === "edit";
}
