import { grantsIn, type Step, type Technique } from "../state.ts";

const group = "certificates.k8s.io";
const signers = new Set(["kubernetes.io/kube-apiserver-client", "kubernetes.io/*"]);

/**
 * Asks for a client certificate in any name, and approves it. The API server refuses only the group system:masters
 * (CertificateSubjectRestriction). https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
 */
export const approveCertificates: Technique = {
  id: "approve-certificates",
  title: "Gives itself a client certificate in another's name",
  remedy: "Limit approve to the signers that are needed, never kubernetes.io/kube-apiserver-client.",
  attack: ["T1649"],
  *steps(from, world): Generator<Step> {
    const cluster = { group, clusterScoped: true };
    const [create] = world.rights(from, { verb: "create", resource: "certificatesigningrequests", ...cluster });
    const [decide] = ["update", "patch"].flatMap((verb) =>
      world.rights(from, { verb, resource: "certificatesigningrequests/approval", ...cluster }),
    );
    const approve = world
      .rights(from, { verb: "approve", resource: "signers", ...cluster })
      .find(({ names }) => names.length === 0 || names.some((name) => signers.has(name)));
    if (!create || !decide || !approve) return;
    const users = new Set(
      world.objects.bindings.flatMap(({ subjects }) => subjects.filter(({ kind }) => kind !== "ServiceAccount")),
    );
    for (const subject of users) {
      if (subject.kind === "Group" && subject.name === "system:masters") continue;
      const because = `may ask for a client certificate of ${subject.kind.toLowerCase()} ${subject.name}, and approve it`;
      yield {
        to: { kind: "subject", subject },
        technique: "approve-certificates",
        because,
        grants: grantsIn(create, decide, approve),
      };
    }
  },
};
