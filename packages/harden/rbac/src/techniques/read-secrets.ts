import { account, grantsIn, type Right, type Step, type Technique } from "../state.ts";

/**
 * Tokens that lie in secrets, and those that the control plane puts into a secret that one makes with the annotation
 * `kubernetes.io/service-account.name`. `list` and `watch` give the content too.
 */
export const readSecrets: Technique = {
  id: "read-secrets",
  title: "Reads a service account's token in a secret",
  remedy: "Let nobody list secrets; give get by name. Remove secrets of type kubernetes.io/service-account-token.",
  attack: ["T1552.007"],
  *steps(from, world): Generator<Step> {
    const reads = ["get", "list", "watch"].flatMap((verb) =>
      world.rights(from, { verb, group: "", resource: "secrets" }),
    );
    const creates = world.rights(from, { verb: "create", group: "", resource: "secrets" });
    for (const read of reads) {
      const tokens = world.objects.tokenSecrets.filter(
        ({ namespace, name }) => covers(read, namespace) && (read.names.length === 0 || read.names.includes(name)),
      );
      for (const { namespace, name, serviceAccount } of tokens) {
        const because = `may read secret ${namespace}/${name}, which holds the token of ${serviceAccount}`;
        yield {
          to: account({ namespace, name: serviceAccount }),
          technique: "read-secrets",
          because,
          grants: grantsIn(read),
        };
      }
      if (read.names.length > 0) continue;
      for (const create of creates) {
        if (create.namespace !== null && !covers(read, create.namespace)) continue;
        for (const one of world.accountsIn(create.namespace ?? read.namespace)) {
          const because = `may make a secret for the token of ${one.namespace}/${one.name}, and read what is put into it`;
          yield { to: account(one), technique: "read-secrets", because, grants: grantsIn(create, read) };
        }
      }
    }
  },
};

function covers({ namespace }: Right, wanted: string): boolean {
  return namespace === null || namespace === wanted;
}
