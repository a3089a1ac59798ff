import { grantsIn, type Step, type Technique } from "../state.ts";

/** `get` opens an exec session too, where the client speaks WebSocket. */
const entries: readonly { verb: string; resource: string; how: string }[] = [
  { verb: "create", resource: "pods/exec", how: "exec in" },
  { verb: "get", resource: "pods/exec", how: "exec in (over WebSocket)" },
  { verb: "create", resource: "pods/attach", how: "attach to" },
  { verb: "get", resource: "pods/attach", how: "attach to (over WebSocket)" },
  { verb: "patch", resource: "pods/ephemeralcontainers", how: "add a container to" },
  { verb: "update", resource: "pods/ephemeralcontainers", how: "add a container to" },
  { verb: "patch", resource: "pods", how: "change the image of" },
  { verb: "update", resource: "pods", how: "change the image of" },
];

/** Into a pod that runs. */
export const enterPod: Technique = {
  id: "enter-pod",
  title: "Runs commands in a pod",
  remedy: "Take exec, attach and ephemeral containers away; use debugging pods in a namespace of their own.",
  attack: ["T1609"],
  *steps(from, world): Generator<Step> {
    const seen = new Set<string>();
    for (const { verb, resource, how } of entries) {
      for (const right of world.rights(from, { verb, group: "", resource })) {
        for (const { namespace, name } of world.podsIn(right.namespace)) {
          if ((right.names.length > 0 && !right.names.includes(name)) || seen.has(`${namespace}/${name}`)) continue;
          seen.add(`${namespace}/${name}`);
          const because = `may ${how} pod ${namespace}/${name}`;
          yield { to: { kind: "pod", namespace, name }, technique: "enter-pod", because, grants: grantsIn(right) };
        }
      }
    }
  },
};
