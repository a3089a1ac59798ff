import {
  account,
  grantsIn,
  whereText,
  type Right,
  type State,
  type Step,
  type Technique,
  type World,
} from "../state.ts";

/** What ends up as a pod when one writes it. */
const runs: readonly { group: string; resource: string; verbs: readonly string[] }[] = [
  { group: "", resource: "pods", verbs: ["create"] },
  { group: "", resource: "replicationcontrollers", verbs: ["create", "update", "patch"] },
  ...["deployments", "daemonsets", "statefulsets", "replicasets"].map((resource) => ({
    group: "apps",
    resource,
    verbs: ["create", "update", "patch"],
  })),
  ...["jobs", "cronjobs"].map((resource) => ({ group: "batch", resource, verbs: ["create", "update", "patch"] })),
];

/**
 * Who makes a pod chooses its service account, and so has that account's token; and where Pod Security does not forbid
 * it, the pod is privileged, and so on a node of one's choice. Policies of webhooks are not known here.
 */
export const runPod: Technique = {
  id: "run-pod",
  title: "Runs a pod of its own",
  remedy:
    "Keep strong service accounts in namespaces where nobody else makes pods; enforce Pod Security baseline there.",
  attack: ["T1610"],
  *steps(from, world): Generator<Step> {
    for (const { right, what } of rightsToRun(from, world)) {
      for (const one of world.accountsIn(right.namespace)) {
        const because = `may ${what} ${whereText(right.namespace)}, and so run a pod as service account ${one.namespace}/${one.name}`;
        yield { to: account(one), technique: "run-pod", because, grants: grantsIn(right) };
      }
      const open = world.namespaces(right.namespace).find((name) => world.podSecurity(name) === "privileged");
      const relabel = open === undefined ? relabelling(from, world, right) : undefined;
      if (open === undefined && !relabel) continue;
      for (const name of world.objects.nodes) {
        const because =
          open === undefined
            ? `may ${what}, and take the Pod Security label off a namespace, and so run a privileged pod on node ${name}`
            : `may ${what} in namespace ${open}, where Pod Security lets a privileged pod through, on node ${name}`;
        yield { to: { kind: "node", name }, technique: "run-pod", because, grants: grantsIn(right, relabel) };
      }
    }
  },
};

/** One for each place where it may: the first kind of object that it may write there. */
function rightsToRun(from: State, world: World): { right: Right; what: string }[] {
  const seen = new Set<string | null>();
  const found: { right: Right; what: string }[] = [];
  for (const { group, resource, verbs } of runs) {
    for (const verb of verbs) {
      for (const right of world.rights(from, { verb, group, resource })) {
        // A name limits what may be changed, and then there must be such an object: its pods are known as pods.
        if (seen.has(right.namespace) || right.names.length > 0) continue;
        seen.add(right.namespace);
        found.push({ right, what: `${verb} ${resource}` });
      }
    }
  }
  return seen.has(null) ? found.filter(({ right }) => right.namespace === null) : found;
}

function relabelling(from: State, world: World, { namespace }: Right): Right | undefined {
  return ["update", "patch"]
    .flatMap((verb) => world.rights(from, { verb, group: "", resource: "namespaces" }))
    .find(
      ({ namespace: where, names }) =>
        (where === null || where === namespace) &&
        (names.length === 0 || (namespace !== null && names.includes(namespace))),
    );
}
