import { grantsIn, type Step, type Technique } from "../state.ts";

/** All verbs on all resources of all groups is what cluster-admin is; the group system:masters is never even asked. */
export const everything: Technique = {
  id: "everything",
  title: "Has every right already",
  remedy: "Give the rights that are used, by name, instead of *.",
  attack: ["T1078.004"],
  *steps(from, world): Generator<Step> {
    if (from.kind === "subject" && from.subject.kind === "Group" && from.subject.name === "system:masters") {
      const because = "the group system:masters is let through before any permission is looked at";
      yield { to: { kind: "cluster-admin" }, technique: "everything", because, grants: [] };
    }
    for (const right of world.rights(from, { verb: "*", group: "*", resource: "*" })) {
      if (right.names.length > 0 || right.grant === undefined) continue;
      const { namespace } = right;
      const to =
        namespace === null ? ({ kind: "cluster-admin" } as const) : ({ kind: "namespace", name: namespace } as const);
      const because =
        namespace === null ? "has every verb on everything" : `has every verb on everything in namespace ${namespace}`;
      yield { to, technique: "everything", because, grants: grantsIn(right) };
    }
  },
};
