import {
  fieldOf,
  isWorkload,
  labelsOf,
  podTemplateOf,
  recordOf,
  recordsOf,
  selectorMatches,
  stringOf,
} from "@bulwark/manifests";

/** The part of a cluster that decides who can do what, and what there is to be taken. */
export interface ClusterObjects {
  readonly roles: readonly Role[];
  readonly bindings: readonly Binding[];
  readonly serviceAccounts: readonly ServiceAccount[];
  readonly pods: readonly Pod[];
  readonly nodes: readonly string[];
  readonly namespaces: readonly Namespace[];
  /** Service account tokens that lie in secrets. */
  readonly tokenSecrets: readonly { namespace: string; name: string; serviceAccount: string }[];
  readonly configMaps: ReadonlySet<string>;
}

/** A Role, or a ClusterRole, whose namespace is null. */
export interface Role {
  readonly namespace: string | null;
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/cluster-role-v1/ */
export interface Rule {
  readonly verbs: readonly string[];
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  /** Empty: all. */
  readonly names: readonly string[];
  readonly urls: readonly string[];
}

/** A RoleBinding, or a ClusterRoleBinding, whose namespace is null. */
export interface Binding {
  readonly namespace: string | null;
  readonly name: string;
  readonly role: { readonly kind: "Role" | "ClusterRole"; readonly name: string };
  readonly subjects: readonly Subject[];
}

export type Subject =
  | { readonly kind: "User" | "Group"; readonly name: string }
  | { readonly kind: "ServiceAccount"; readonly namespace: string; readonly name: string };

interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  /** Empty: not placed yet, or a workload's template. */
  readonly node: string;
  readonly serviceAccount: string;
  /** The token of its service account is in it. */
  readonly token: boolean;
  /** Why who is in it is on its node too: `privileged`, `hostPath /`; empty where that is not so. */
  readonly nodeAccess: string;
}

export interface Namespace {
  readonly name: string;
  /** Level of Pod Security that is enforced in it. */
  readonly enforce: "privileged" | "baseline" | "restricted";
}

type Item = Readonly<Record<string, unknown>>;

/** Reads what counts from Kubernetes objects of any kind; the others are passed over. Aggregated roles are put together. */
export function readObjects(objects: readonly Item[]): ClusterObjects {
  const ofKind = (kind: string): Item[] => objects.filter((item) => item["kind"] === kind);
  const clusterRoles = ofKind("ClusterRole");
  const pods = podsOf(objects);
  return {
    roles: [...ofKind("Role"), ...clusterRoles].map((item) => roleOf(item, clusterRoles)),
    bindings: [...ofKind("RoleBinding"), ...ofKind("ClusterRoleBinding")].flatMap(bindingOf),
    serviceAccounts: ofKind("ServiceAccount").map((item) => ({ namespace: namespaceOf(item), name: nameOf(item) })),
    pods,
    nodes: [...new Set([...ofKind("Node").map(nameOf), ...pods.map(({ node }) => node)])].filter((name) => name !== ""),
    namespaces: ofKind("Namespace").map(toNamespace),
    tokenSecrets: ofKind("Secret").flatMap(tokenSecretOf),
    configMaps: new Set(ofKind("ConfigMap").map((item) => `${namespaceOf(item)}/${nameOf(item)}`)),
  };
}

function nameOf(item: Item): string {
  return stringOf(fieldOf(item, "metadata", "name"));
}

function namespaceOf(item: Item): string {
  return stringOf(fieldOf(item, "metadata", "namespace")) || "default";
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function roleOf(item: Item, clusterRoles: readonly Item[]): Role {
  const selectors = recordsOf(fieldOf(item, "aggregationRule", "clusterRoleSelectors"));
  const parts =
    selectors.length === 0
      ? []
      : clusterRoles.filter((role) => selectors.some((one) => selectorMatches(one, labelsOf(role))));
  return {
    namespace: item["kind"] === "ClusterRole" ? null : namespaceOf(item),
    name: nameOf(item),
    rules: [item, ...parts].flatMap((role) => recordsOf(role["rules"]).map(toRule)),
  };
}

function toRule(rule: Item): Rule {
  return {
    verbs: strings(rule["verbs"]),
    groups: strings(rule["apiGroups"]),
    resources: strings(rule["resources"]),
    names: strings(rule["resourceNames"]),
    urls: strings(rule["nonResourceURLs"]),
  };
}

function bindingOf(item: Item): Binding[] {
  const namespace = item["kind"] === "ClusterRoleBinding" ? null : namespaceOf(item);
  const kind = fieldOf(item, "roleRef", "kind");
  if (kind !== "Role" && kind !== "ClusterRole") return [];
  const role = { kind, name: stringOf(fieldOf(item, "roleRef", "name")) } as const;
  const subjects = recordsOf(item["subjects"]).flatMap((subject): Subject[] => {
    const name = stringOf(subject["name"]);
    if (subject["kind"] === "User" || subject["kind"] === "Group") return [{ kind: subject["kind"], name }];
    if (subject["kind"] !== "ServiceAccount") return [];
    return [{ kind: "ServiceAccount", namespace: stringOf(subject["namespace"]) || (namespace ?? ""), name }];
  });
  return [{ namespace, name: nameOf(item), role, subjects }];
}

function toNamespace(item: Item): Namespace {
  const level = recordOf(fieldOf(item, "metadata", "labels"))["pod-security.kubernetes.io/enforce"];
  return { name: nameOf(item), enforce: level === "baseline" || level === "restricted" ? level : "privileged" };
}

function tokenSecretOf(item: Item): { namespace: string; name: string; serviceAccount: string }[] {
  if (item["type"] !== "kubernetes.io/service-account-token") return [];
  const account = recordOf(fieldOf(item, "metadata", "annotations"))["kubernetes.io/service-account.name"];
  return typeof account === "string"
    ? [{ namespace: namespaceOf(item), name: nameOf(item), serviceAccount: account }]
    : [];
}

/** Pods, and the templates of workloads that have no pod among the objects (a manifest that was never applied). */
function podsOf(objects: readonly Item[]): Pod[] {
  const noAutomount = new Set(
    objects
      .filter((item) => item["kind"] === "ServiceAccount" && item["automountServiceAccountToken"] === false)
      .map((item) => `${namespaceOf(item)}/${nameOf(item)}`),
  );
  const real = objects.filter((item) => item["kind"] === "Pod");
  const owned = new Set(
    real.flatMap((item) =>
      recordsOf(fieldOf(item, "metadata", "ownerReferences")).map(
        ({ kind, name }) => `${stringOf(kind)}/${namespaceOf(item)}/${stringOf(name)}`,
      ),
    ),
  );
  const made = objects.filter((item) => {
    const kind = stringOf(item["kind"]);
    const controlled = recordsOf(fieldOf(item, "metadata", "ownerReferences")).length > 0;
    return isWorkload(kind) && !controlled && !owned.has(`${kind}/${namespaceOf(item)}/${nameOf(item)}`);
  });
  const live = real.length > 0;
  const ended = new Set(["Succeeded", "Failed"]);
  return [
    ...real
      .filter((item) => !ended.has(stringOf(fieldOf(item, "status", "phase"))))
      .map((item) => toPod(item, fieldOf(item, "spec"), nameOf(item), noAutomount)),
    // In a list of a running cluster, a workload without pods is scaled to none, or its pods hang on a ReplicaSet.
    ...(live ? [] : made).map((item) => {
      const name = `${stringOf(item["kind"]).toLowerCase()}/${nameOf(item)}`;
      return toPod(item, fieldOf(podTemplateOf(item), "spec"), name, noAutomount);
    }),
  ];
}

function toPod(item: Item, spec: unknown, name: string, noAutomount: ReadonlySet<string>): Pod {
  const namespace = namespaceOf(item);
  const account = stringOf(fieldOf(spec, "serviceAccountName")) || "default";
  const own = fieldOf(spec, "automountServiceAccountToken");
  const projected = recordsOf(fieldOf(spec, "volumes")).some((volume) =>
    recordsOf(fieldOf(volume, "projected", "sources")).some((source) => source["serviceAccountToken"] !== undefined),
  );
  return {
    namespace,
    name,
    node: stringOf(fieldOf(spec, "nodeName")),
    serviceAccount: account,
    token: projected || (typeof own === "boolean" ? own : !noAutomount.has(`${namespace}/${account}`)),
    nodeAccess: nodeAccessOf(spec),
  };
}

/** Folders of the host that give the host: https://kubernetes.io/docs/concepts/storage/volumes/#hostpath */
const wholeHost =
  /^\/+(?:$|etc|root|home|var\/*$|var\/+lib\/*$|var\/+lib\/+(?:kubelet|docker|containerd)|var\/+run|run|proc|sys|dev|boot|lib|usr|bin|sbin|opt\/*$)/;

function nodeAccessOf(spec: unknown): string {
  const containers = ["containers", "initContainers", "ephemeralContainers"].flatMap((kind) =>
    recordsOf(fieldOf(spec, kind)),
  );
  const reasons = [
    ...(containers.some((one) => fieldOf(one, "securityContext", "privileged") === true) ? ["privileged"] : []),
    ...(containers.some((one) => strings(fieldOf(one, "securityContext", "capabilities", "add")).some(isRootCapability))
      ? ["CAP_SYS_ADMIN or the like"]
      : []),
    // Alone it shows the host's processes; with ptrace or root it is the host.
    ...(fieldOf(spec, "hostPID") === true ? ["hostPID"] : []),
    ...recordsOf(fieldOf(spec, "volumes"))
      .map((volume) => stringOf(fieldOf(volume, "hostPath", "path")))
      .filter((path) => path !== "" && wholeHost.test(path))
      .map((path) => `hostPath ${path}`),
  ];
  return reasons.join(", ");
}

function isRootCapability(name: string): boolean {
  return ["ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_RAWIO", "BPF", "DAC_READ_SEARCH"].includes(
    name.toUpperCase().replace(/^CAP_/, ""),
  );
}
