/** A kind of object and where the API keeps it. */
export interface Resource {
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  /** In the path: `pods`. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/** An object as the API gives it; what is known of every one. */
export interface KubeResource {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly OwnerReference[];
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

function resource(apiVersion: string, kind: string, plural: string, namespaced = true): Resource {
  return { apiVersion, plural, kind, namespaced };
}

const rbac = "rbac.authorization.k8s.io/v1";
const admission = "admissionregistration.k8s.io/v1";

/** Those that every cluster has; others by `kube.discover()`. */
export const resources = {
  namespaces: resource("v1", "Namespace", "namespaces", false),
  nodes: resource("v1", "Node", "nodes", false),
  pods: resource("v1", "Pod", "pods"),
  services: resource("v1", "Service", "services"),
  serviceAccounts: resource("v1", "ServiceAccount", "serviceaccounts"),
  configMaps: resource("v1", "ConfigMap", "configmaps"),
  secrets: resource("v1", "Secret", "secrets"),
  events: resource("v1", "Event", "events"),
  replicationControllers: resource("v1", "ReplicationController", "replicationcontrollers"),
  deployments: resource("apps/v1", "Deployment", "deployments"),
  replicaSets: resource("apps/v1", "ReplicaSet", "replicasets"),
  statefulSets: resource("apps/v1", "StatefulSet", "statefulsets"),
  daemonSets: resource("apps/v1", "DaemonSet", "daemonsets"),
  jobs: resource("batch/v1", "Job", "jobs"),
  cronJobs: resource("batch/v1", "CronJob", "cronjobs"),
  ingresses: resource("networking.k8s.io/v1", "Ingress", "ingresses"),
  networkPolicies: resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
  roles: resource(rbac, "Role", "roles"),
  roleBindings: resource(rbac, "RoleBinding", "rolebindings"),
  clusterRoles: resource(rbac, "ClusterRole", "clusterroles", false),
  clusterRoleBindings: resource(rbac, "ClusterRoleBinding", "clusterrolebindings", false),
  validatingWebhooks: resource(admission, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false),
  mutatingWebhooks: resource(admission, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false),
  validatingPolicies: resource(admission, "ValidatingAdmissionPolicy", "validatingadmissionpolicies", false),
  validatingBindings: resource(
    admission,
    "ValidatingAdmissionPolicyBinding",
    "validatingadmissionpolicybindings",
    false,
  ),
} as const satisfies Record<string, Resource>;

/** `/api/v1/namespaces/shop/pods/web`; without a name the collection, without a namespace all of them. */
export function pathOf(
  { apiVersion, plural, namespaced }: Resource,
  { namespace, name, subresource }: { namespace?: string | undefined; name?: string; subresource?: string } = {},
): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const parts = [
    ...(namespaced && namespace !== undefined ? ["namespaces", namespace] : []),
    plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return [root, ...parts.map(encodeURIComponent)].join("/");
}
