import type { Subject } from "../objects.ts";
import { account, grantsIn, type Right, type State, type Step, type Technique, type World } from "../state.ts";

/**
 * Acts as somebody else by request headers. A group can be taken on only together with a user.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
export const impersonate: Technique = {
  id: "impersonate",
  title: "Acts as somebody else",
  remedy: "Limit impersonate to the users that must be acted for (resourceNames), never to groups without names.",
  attack: ["T1134.001"],
  *steps(from, world): Generator<Step> {
    const users = world.rights(from, { verb: "impersonate", group: "", resource: "users", clusterScoped: true });
    const groups = world.rights(from, { verb: "impersonate", group: "", resource: "groups", clusterScoped: true });
    const accounts = world.rights(from, { verb: "impersonate", group: "", resource: "serviceaccounts" });
    const anyone = [...users, ...accounts][0];
    const masters = groups.find(({ names }) => names.length === 0 || names.includes("system:masters"));
    if (masters && anyone) {
      const because = "may act as a member of the group system:masters";
      yield { to: { kind: "cluster-admin" }, technique: "impersonate", because, grants: grantsIn(masters, anyone) };
    }
    yield* asUsers(users, world);
    for (const right of accounts) {
      for (const one of world.accountsIn(right.namespace)) {
        if (right.names.length > 0 && !right.names.includes(one.name)) continue;
        yield step(account(one), `may act as service account ${one.namespace}/${one.name}`, right);
      }
    }
    if (!anyone) return;
    for (const right of groups) {
      for (const name of namesOf(right, world, "Group")) {
        yield step(
          { kind: "subject", subject: { kind: "Group", name } },
          `may act as a member of group ${name}`,
          right,
          anyone,
        );
      }
    }
  },
};

function* asUsers(rights: readonly Right[], world: World): Generator<Step> {
  for (const right of rights) {
    for (const name of namesOf(right, world, "User")) {
      yield step({ kind: "subject", subject: { kind: "User", name } }, `may act as user ${name}`, right);
    }
    if (right.names.length > 0) continue;
    for (const one of world.accountsIn(null)) {
      const name = `${one.namespace}/${one.name}`;
      yield step(account(one), `may act as user system:serviceaccount:${name.replace("/", ":")}`, right);
    }
  }
}

/** Those that it is limited to; else those that some binding knows. */
function namesOf({ names }: Right, { objects }: World, kind: "User" | "Group"): readonly string[] {
  if (names.length > 0) return names;
  const bound = objects.bindings.flatMap(({ subjects }) => subjects.filter((one: Subject) => one.kind === kind));
  return [...new Set(bound.map(({ name }) => name))];
}

function step(to: State, because: string, ...rights: readonly Right[]): Step {
  return { to, technique: "impersonate", because, grants: grantsIn(...rights) };
}
