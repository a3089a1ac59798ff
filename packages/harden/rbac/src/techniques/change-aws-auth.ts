import { grantsIn, type Step, type Technique } from "../state.ts";

/** On EKS the ConfigMap kube-system/aws-auth says which cloud role is in which group; system:masters included. */
export const changeAwsAuth: Technique = {
  id: "change-aws-auth",
  title: "Maps a cloud role to system:masters",
  remedy: "Use EKS access entries; let nobody write kube-system/aws-auth.",
  attack: ["T1098.003"],
  *steps(from, world): Generator<Step> {
    if (!world.objects.configMaps.has("kube-system/aws-auth")) return;
    for (const verb of ["update", "patch"]) {
      for (const right of world.rights(from, { verb, group: "", resource: "configmaps" })) {
        const here = right.namespace === null || right.namespace === "kube-system";
        if (!here || (right.names.length > 0 && !right.names.includes("aws-auth"))) continue;
        const because = `may ${verb} kube-system/aws-auth, which says who is in system:masters`;
        yield { to: { kind: "cluster-admin" }, technique: "change-aws-auth", because, grants: grantsIn(right) };
      }
    }
  },
};
