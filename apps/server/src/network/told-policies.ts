import type { KubeResource } from "@bulwark/kube";
import { isRecord } from "@bulwark/manifests";
import type { KubeManifest } from "@bulwark/store";
import type { Context } from "../context.ts";
import { kindOf, plainPolicy, type PolicyObject } from "./policy-kinds.ts";

/** Network policies as a cluster's collector has told them; or why they are not known. Undefined: nobody tells of it. */
type Told = { readonly objects: PolicyObject[] } | { readonly reason: string; readonly remedy: string };

const pageSize = 200;
const mostPolicies = 20_000;

/** Of the kinds that a collector reads: NetworkPolicies. */
export async function toldPolicies(
  cluster: string,
  { store, limits }: Context,
  now: number,
): Promise<Told | undefined> {
  const known = (await store.kubernetes.clusters()).find(({ name }) => name === cluster);
  if (!known) return undefined;
  const run = "see that the cluster's collector (bulwark cluster) runs";
  if (known.syncedAt === null) return { reason: `not all of ${cluster} has been told yet`, remedy: "wait a moment" };
  const silent = now - known.updatedAt;
  if (silent > limits.silence) {
    const minutes = Math.round(silent / 60_000);
    return { reason: `nothing has been heard of ${cluster} for ${minutes} minutes`, remedy: run };
  }
  const objects: PolicyObject[] = [];
  let unread = 0;
  let cursor: string | undefined;
  do {
    const page = await store.kubernetes.manifests(cluster, "NetworkPolicy", { cursor, limit: pageSize });
    for (const told of page.items) {
      const policy = policyOf(told);
      if (policy) objects.push(policy);
      else unread++;
    }
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && objects.length + unread < mostPolicies);
  if (unread === 0 && cursor === undefined) return { objects };
  // Of some alone it cannot be said what is allowed.
  return {
    reason: `${unread} of ${objects.length + unread} network policies of ${cluster} were not told as a whole`,
    remedy: "update the cluster's collector",
  };
}

/** Nobody has looked into what a collector tells: what is not the object that it is told as is none. */
function policyOf({ uid, namespace, name, manifest }: KubeManifest): PolicyObject | undefined {
  const kind = kindOf("NetworkPolicy");
  if (manifest === null || !kind) return undefined;
  try {
    const object: unknown = JSON.parse(manifest);
    if (!isRecord(object) || !isRecord(object["metadata"])) return undefined;
    const { metadata } = object;
    if (metadata["uid"] !== uid || metadata["name"] !== name || metadata["namespace"] !== namespace) return undefined;
    return plainPolicy(object as unknown as KubeResource, kind);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
