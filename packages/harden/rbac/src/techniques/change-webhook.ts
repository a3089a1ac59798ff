import { grantsIn, type Step, type Technique } from "../state.ts";

const group = "admissionregistration.k8s.io";

/**
 * What is asked at admission sees every object that is written, and a mutating one changes it: the next binding that an
 * administrator makes, the next pod of the control plane.
 */
export const changeWebhook: Technique = {
  id: "change-webhook",
  title: "Changes what others write, at admission",
  remedy: "Only who installs the cluster needs to write webhooks and mutating policies.",
  attack: ["T1546"],
  *steps(from, world): Generator<Step> {
    const cluster = { group, clusterScoped: true };
    for (const verb of ["create", "update", "patch"]) {
      for (const right of world.rights(from, { verb, resource: "mutatingwebhookconfigurations", ...cluster })) {
        const because = `may ${verb} mutating webhooks, and so change what administrators and controllers write`;
        yield { to: { kind: "cluster-admin" }, technique: "change-webhook", because, grants: grantsIn(right) };
      }
      const [policy] = world.rights(from, { verb, resource: "mutatingadmissionpolicies", ...cluster });
      const [binding] = world.rights(from, { verb: "create", resource: "mutatingadmissionpolicybindings", ...cluster });
      if (policy && binding) {
        const because = `may ${verb} mutating admission policies, and so change what administrators and controllers write`;
        yield {
          to: { kind: "cluster-admin" },
          technique: "change-webhook",
          because,
          grants: grantsIn(policy, binding),
        };
      }
    }
  },
};
