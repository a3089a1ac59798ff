import { KubeError, type Kube, type KubeResource, type Resource } from "@bulwark/kube";
import { errorText, type NetworkPolicyRef } from "@bulwark/model";

function ofGroup(apiVersion: string, kind: string, plural: string, namespaced: boolean): Resource {
  return { apiVersion, kind, plural, namespaced };
}

/** Every kind of network policy that is understood, and where a cluster has it. All but the first may be missing there. */
const policyKinds: readonly Resource[] = [
  ofGroup("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true),
  ofGroup("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", "clusternetworkpolicies", false),
  ofGroup("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", "adminnetworkpolicies", false),
  ofGroup("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy", "baselineadminnetworkpolicies", false),
  ofGroup("cilium.io/v2", "CiliumNetworkPolicy", "ciliumnetworkpolicies", true),
  ofGroup("cilium.io/v2", "CiliumClusterwideNetworkPolicy", "ciliumclusterwidenetworkpolicies", false),
];

export function kindOf(kind: string): Resource | undefined {
  return policyKinds.find((known) => known.kind === kind);
}

export function refOf({ kind, metadata }: PolicyObject): NetworkPolicyRef {
  const namespaced = kindOf(kind)?.namespaced ?? true;
  return { kind, namespace: namespaced ? (metadata.namespace ?? "default") : "", name: metadata.name };
}

export function refKey({ kind, namespace, name }: NetworkPolicyRef): string {
  return `${kind} ${namespace}/${name}`;
}

/** A policy as somebody wrote it. */
export interface PolicyObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly specs?: unknown;
}

/** A policy without what the API server and its clients keep in it. */
export function plainPolicy(object: KubeResource | PolicyObject, { apiVersion, kind }: Resource): PolicyObject {
  const { name, namespace, labels, annotations = {} } = object.metadata;
  const kept = Object.entries(annotations).filter(
    ([key]) => key !== "kubectl.kubernetes.io/last-applied-configuration",
  );
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels && Object.keys(labels).length > 0 ? { labels } : {}),
      ...(kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}),
    },
    ...(object["spec" as keyof typeof object] === undefined ? {} : { spec: object["spec" as keyof typeof object] }),
    ...(object["specs" as keyof typeof object] === undefined ? {} : { specs: object["specs" as keyof typeof object] }),
  };
}

/** Raises `KubeError` where NetworkPolicies cannot be listed, or others that are there. */
export async function listPolicies(kube: Kube): Promise<PolicyObject[]> {
  const lists = await Promise.all(
    policyKinds.map(async (kind) => {
      try {
        const { items } = await kube.list(kind);
        return items.map((item) => plainPolicy(item, kind));
      } catch (error) {
        if (kind.kind !== "NetworkPolicy" && (await isMissing(kube, kind, error))) return [];
        throw error;
      }
    }),
  );
  return lists.flat();
}

/** A cluster without such policies has none. One that does not let us ask for them does not say whether it has. */
async function isMissing(kube: Kube, { apiVersion }: Resource, error: unknown): Promise<boolean> {
  if (!(error instanceof KubeError)) return false;
  if (error.code !== "forbidden") return error.code === "not-found";
  return kube.read(`/apis/${apiVersion}`).then(
    () => false,
    (other: unknown) => other instanceof KubeError && other.code === "not-found",
  );
}

export function reasonOf(error: unknown): { reason: string; remedy: string } {
  const remedy = error instanceof KubeError ? (error.remedy ?? "") : "";
  return { reason: errorText(error).slice(0, 2048), remedy };
}
