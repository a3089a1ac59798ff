import { account, grantsIn, type Step, type Technique } from "../state.ts";

/** TokenRequest: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/ */
export const createToken: Technique = {
  id: "create-token",
  title: "Has a token made for a service account",
  remedy: "Limit serviceaccounts/token to the accounts that must be handed out (resourceNames).",
  attack: ["T1528"],
  *steps(from, world): Generator<Step> {
    for (const right of world.rights(from, { verb: "create", group: "", resource: "serviceaccounts/token" })) {
      for (const one of world.accountsIn(right.namespace)) {
        if (right.names.length > 0 && !right.names.includes(one.name)) continue;
        const because = `may have a token made for service account ${one.namespace}/${one.name}`;
        yield { to: account(one), technique: "create-token", because, grants: grantsIn(right) };
      }
    }
  },
};
