import { account, type Step, type Technique } from "../state.ts";

/** What one has by being in a pod: the token that is mounted in it, and its node where it is not held back from it. */
export const leavePod: Technique = {
  id: "leave-pod",
  title: "Takes what is in the pod",
  remedy: "Set automountServiceAccountToken: false where no token is needed; run no pod with the rights of its node.",
  attack: ["T1552.007", "T1611"],
  *steps(from, world): Generator<Step> {
    if (from.kind !== "pod") return;
    const pod = world.podsIn(from.namespace).find(({ name }) => name === from.name);
    if (pod?.token === true) {
      const name = `${pod.namespace}/${pod.serviceAccount}`;
      const to = account({ namespace: pod.namespace, name: pod.serviceAccount });
      yield { to, technique: "leave-pod", because: `the token of service account ${name} is in it`, grants: [] };
    }
    if (pod === undefined || pod.nodeAccess === "") return;
    for (const name of pod.node === "" ? world.objects.nodes : [pod.node]) {
      const because = `it is not held back from node ${name} (${pod.nodeAccess})`;
      yield { to: { kind: "node", name }, technique: "leave-pod", because, grants: [] };
    }
  },
};
