import { grantsIn, type Step, type Technique } from "../state.ts";

/** A volume of type hostPath is a node's folder, and Pod Security does not look behind a claim. */
export const createPersistentVolume: Technique = {
  id: "create-persistent-volume",
  title: "Mounts a node's folder through a volume claim",
  remedy: "Let only the storage provisioner create persistent volumes.",
  attack: ["T1611"],
  *steps(from, world): Generator<Step> {
    const [volume] = world.rights(from, {
      verb: "create",
      group: "",
      resource: "persistentvolumes",
      clusterScoped: true,
    });
    if (!volume) return;
    const claims = world.rights(from, { verb: "create", group: "", resource: "persistentvolumeclaims" });
    const pods = world.rights(from, { verb: "create", group: "", resource: "pods" });
    const both = claims.flatMap((claim) =>
      pods.filter((pod) => meet(claim.namespace, pod.namespace)).map((pod) => ({ claim, pod })),
    );
    const [first] = both;
    if (!first) return;
    for (const name of world.objects.nodes) {
      const because = `may make a volume of a folder of node ${name}, claim it, and mount it in a pod`;
      yield {
        to: { kind: "node", name },
        technique: "create-persistent-volume",
        because,
        grants: grantsIn(volume, first.claim, first.pod),
      };
    }
  },
};

function meet(a: string | null, b: string | null): boolean {
  return a === null || b === null || a === b;
}
