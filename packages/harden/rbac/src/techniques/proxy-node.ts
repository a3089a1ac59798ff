import { grantsIn, type Step, type Technique } from "../state.ts";

/** The kubelet's own API runs commands in every pod of its node, past admission and audit of exec. */
export const proxyNode: Technique = {
  id: "proxy-node",
  title: "Speaks to the kubelet through the API server",
  remedy: "Take nodes/proxy away; metrics need nodes/metrics or nodes/stats only.",
  attack: ["T1609"],
  *steps(from, world): Generator<Step> {
    for (const verb of ["create", "get"]) {
      for (const right of world.rights(from, { verb, group: "", resource: "nodes/proxy", clusterScoped: true })) {
        for (const pod of world.podsIn(null)) {
          if (right.names.length > 0 && !right.names.includes(pod.node)) continue;
          const { namespace, name } = pod;
          const because = `may run commands in pod ${namespace}/${name} through the kubelet of node ${pod.node || "?"}`;
          yield { to: { kind: "pod", namespace, name }, technique: "proxy-node", because, grants: grantsIn(right) };
        }
      }
    }
  },
};
