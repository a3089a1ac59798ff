import type { NetworkPolicyRef } from "@bulwark/model";

/** `shop/db-only`; of the whole cluster its name alone. */
export function refName({ namespace, name }: Pick<NetworkPolicyRef, "namespace" | "name">): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
