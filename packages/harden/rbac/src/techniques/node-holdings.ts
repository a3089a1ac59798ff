import { account, type Step, type Technique } from "../state.ts";

/** Root on a node has every pod on it, with its token, and the kubelet's own identity. */
export const nodeHoldings: Technique = {
  id: "node-holdings",
  title: "Takes what is on the node",
  remedy: "Keep pods with strong service accounts on nodes of their own (taints), away from what is exposed.",
  attack: ["T1552.001"],
  *steps(from, world): Generator<Step> {
    if (from.kind !== "node") return;
    for (const pod of world.podsIn(null)) {
      if (pod.node !== from.name || !pod.token) continue;
      const to = account({ namespace: pod.namespace, name: pod.serviceAccount });
      const because = `pod ${pod.namespace}/${pod.name} runs on it with the token of ${pod.serviceAccount}`;
      yield { to, technique: "node-holdings", because, grants: [] };
    }
    const to = { kind: "subject", subject: { kind: "User", name: `system:node:${from.name}` } } as const;
    yield { to, technique: "node-holdings", because: "the kubelet's certificate is on it", grants: [] };
  },
};
