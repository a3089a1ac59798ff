import type { KubeResource, OwnerReference } from "./resources.ts";

export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

const maxDepth = 10;

/**
 * Who made an object, the nearest first: a ReplicaSet, its Deployment. `find` gives the owner's own references by uid;
 * where it knows nothing the chain ends, and so it does at a circle.
 */
export function ownerChain(
  object: { readonly metadata: Pick<KubeResource["metadata"], "ownerReferences"> },
  find: (uid: string) => { readonly metadata: Pick<KubeResource["metadata"], "ownerReferences"> } | undefined,
): Owner[] {
  const chain: Owner[] = [];
  let next = controllerOf(object.metadata.ownerReferences);
  while (next && chain.length < maxDepth && !chain.some(({ uid }) => uid === next?.uid)) {
    const { apiVersion, kind, name, uid } = next;
    chain.push({ apiVersion, kind, name, uid });
    next = controllerOf(find(uid)?.metadata.ownerReferences);
  }
  return chain;
}

function controllerOf(references: readonly OwnerReference[] | undefined): OwnerReference | undefined {
  return references?.find(({ controller }) => controller === true) ?? references?.[0];
}
