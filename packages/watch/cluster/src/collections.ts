import type { KubeKind } from "@bulwark/model";

/** Where each kind is listed over all namespaces. What a cluster does not have is passed over. */
export const collections: Readonly<Record<KubeKind, string>> = {
  // Pods last: by then their owners are known.
  Namespace: "/api/v1/namespaces",
  Node: "/api/v1/nodes",
  Deployment: "/apis/apps/v1/deployments",
  ReplicaSet: "/apis/apps/v1/replicasets",
  StatefulSet: "/apis/apps/v1/statefulsets",
  DaemonSet: "/apis/apps/v1/daemonsets",
  ReplicationController: "/api/v1/replicationcontrollers",
  Job: "/apis/batch/v1/jobs",
  CronJob: "/apis/batch/v1/cronjobs",
  Service: "/api/v1/services",
  Ingress: "/apis/networking.k8s.io/v1/ingresses",
  ServiceAccount: "/api/v1/serviceaccounts",
  Role: "/apis/rbac.authorization.k8s.io/v1/roles",
  RoleBinding: "/apis/rbac.authorization.k8s.io/v1/rolebindings",
  ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  ClusterRoleBinding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
  NetworkPolicy: "/apis/networking.k8s.io/v1/networkpolicies",
  ResourceQuota: "/api/v1/resourcequotas",
  LimitRange: "/api/v1/limitranges",
  PodDisruptionBudget: "/apis/policy/v1/poddisruptionbudgets",
  ValidatingAdmissionPolicy: "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
  ValidatingAdmissionPolicyBinding: "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
  ValidatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
  MutatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
  Pod: "/api/v1/pods",
};
