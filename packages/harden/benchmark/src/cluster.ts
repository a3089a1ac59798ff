import type { AdvisoryDatabase } from "@bulwark/advisory/lookup";
import type { Facts } from "@bulwark/check";
import { resources, type Kube, type KubeResource, type Resource } from "@bulwark/kube";
import { fieldOf, isRecord, recordOf, recordsOf, stringOf } from "@bulwark/manifests";
import { errorText } from "@bulwark/model";
import { flagsOf } from "./facts/processes.ts";
import { clusterParts, judgeVersions, versionsIn } from "./versions.ts";

/** The names that checks of clusters know facts by. */
export const clusterVariables: readonly string[] = [
  "cluster",
  "objects",
  "nodes",
  "apiserver",
  "controllerManager",
  "scheduler",
  "etcd",
  "versions",
];

const kinds = {
  namespaces: resources.namespaces,
  pods: resources.pods,
  serviceAccounts: resources.serviceAccounts,
  networkPolicies: resources.networkPolicies,
  validatingPolicies: resources.validatingPolicies,
  validatingWebhooks: resources.validatingWebhooks,
  clusterRoles: resources.clusterRoles,
  roles: resources.roles,
  clusterRoleBindings: resources.clusterRoleBindings,
  roleBindings: resources.roleBindings,
} as const satisfies Record<string, Resource>;
type Kind = keyof typeof kinds;

/** Objects of one kind; a cluster with more is judged by nobody at once. */
const objectLimit = 200_000;
/** Nodes whose kubelet is asked; the API server has to reach every one. */
const nodeLimit = 1000;

/** Control planes that nobody but the provider sees, by what their nodes' versions and ids say. */
const providers: readonly [name: string, version: RegExp, id: RegExp][] = [
  ["Amazon EKS", /-eks-/, /^aws:/],
  ["Google GKE", /-gke\./, /^gce:/],
  ["Azure AKS", /^$/, /^azure:.*aks/i],
  ["Alibaba ACK", /-aliyun\./, /^(?:cn|us|eu|ap)-[a-z0-9-]+\.i-/],
  ["Tencent TKE", /-tke\./, /^qcloud:/],
];

/** As much of an API server as is asked. */
type ClusterReader = Pick<Kube, "list" | "pages" | "read" | "version">;

interface Missing {
  [path: string]: string;
}

/**
 * Looks at a cluster by its API, once: objects, what roles grant, each kubelet's effective configuration (`/configz`),
 * the flags of a control plane that runs as pods, and what a database of advisories says of versions. What the account may not read is missing, with the reason.
 */
export async function collectCluster(kube: ClusterReader, database?: AdvisoryDatabase): Promise<Facts> {
  const missing: Missing = {};
  const objects: Partial<Record<Kind, KubeResource[]>> = {};
  for (const kind of Object.keys(kinds) as Kind[]) objects[kind] = await listed(kube, kind, missing);
  const nodes = await nodesOf(kube, missing);
  const version = await versionOf(kube, missing);
  const managed = managedBy(nodes);
  const parts = controlPlane(objects.pods ?? [], managed, missing);
  const grants = grantsOf(objects);
  for (const kind of ["clusterRoles", "roles", "clusterRoleBindings", "roleBindings"]) {
    const reason = missing[`objects.${kind}`];
    if (reason !== undefined) missing["objects.grants"] = reason;
  }
  const judged = await judgeVersions(clusterParts, versionsIn(version, nodes, objects.pods ?? []), null, database);
  const hidden =
    managed === "" ? "no control plane is seen" : `${managed} runs the control plane, and shows nothing of it`;
  return {
    values: {
      cluster: { version, managed, hidden },
      objects: { ...objects, grants },
      nodes,
      ...parts,
      versions: judged.versions,
    },
    missing: { ...missing, ...judged.missing },
  };
}

async function listed(kube: ClusterReader, kind: Kind, missing: Missing): Promise<KubeResource[]> {
  const found: KubeResource[] = [];
  try {
    for await (const { items } of kube.pages(kinds[kind])) {
      found.push(...items);
      if (found.length > objectLimit) throw new Error(`more than ${objectLimit} ${kind}`);
    }
  } catch (error) {
    missing[`objects.${kind}`] = errorText(error);
    return [];
  }
  return found;
}

async function versionOf(kube: ClusterReader, missing: Missing): Promise<string> {
  try {
    return await kube.version();
  } catch (error) {
    missing["cluster.version"] = errorText(error);
    return "";
  }
}

interface NodeFacts {
  name: string;
  version: string;
  runtime: string;
  providerId: string;
  /** KubeletConfiguration with every default filled in, as the kubelet itself tells. */
  kubelet: Record<string, unknown>;
}

async function nodesOf(kube: ClusterReader, missing: Missing): Promise<Record<string, NodeFacts>> {
  const found: Record<string, NodeFacts> = {};
  let listedNodes: readonly KubeResource[] = [];
  try {
    listedNodes = (await kube.list(resources.nodes)).items;
  } catch (error) {
    missing["nodes"] = errorText(error);
  }
  if (listedNodes.length > nodeLimit) missing["nodes"] = `more than ${nodeLimit} nodes`;
  for (const node of listedNodes.slice(0, nodeLimit)) {
    const { name } = node.metadata;
    const info = recordOf(fieldOf(node, "status", "nodeInfo"));
    const common = {
      name,
      version: stringOf(info["kubeletVersion"]),
      runtime: stringOf(info["containerRuntimeVersion"]),
      providerId: stringOf(fieldOf(node, "spec", "providerID")),
    };
    found[name] = { ...common, kubelet: {} };
    try {
      const answer = await kube.read(`/api/v1/nodes/${encodeURIComponent(name)}/proxy/configz`, {
        signal: AbortSignal.timeout(10_000),
      });
      const config = fieldOf(answer, "kubeletconfig");
      if (!isRecord(config)) throw new Error("no kubeletconfig is in its answer");
      found[name].kubelet = config;
    } catch (error) {
      missing[`nodes[${name}].kubelet`] = `the kubelet does not tell its configuration: ${errorText(error)}`;
    }
  }
  return found;
}

function managedBy(nodes: Readonly<Record<string, NodeFacts>>): string {
  for (const { version, providerId } of Object.values(nodes)) {
    const found = providers.find(
      ([, ofVersion, ofId]) => ofVersion.test(version) || (ofVersion.source === "^$" && ofId.test(providerId)),
    );
    if (found) return found[0];
  }
  return "";
}

interface Part {
  running: boolean;
  flags: Record<string, string>;
}

/** kubeadm, RKE2 and their like run it as pods with a label that names the part. */
function controlPlane(pods: readonly KubeResource[], managed: string, missing: Missing): Record<string, Part> {
  const names = {
    apiserver: "kube-apiserver",
    controllerManager: "kube-controller-manager",
    scheduler: "kube-scheduler",
    etcd: "etcd",
  };
  const parts = Object.entries(names).map(([variable, name]): [string, Part] => {
    const pod = pods.find(
      ({ metadata }) => metadata.namespace === "kube-system" && metadata.labels?.["component"] === name,
    );
    if (!pod) {
      if (managed === "") {
        missing[`${variable}.running`] =
          missing["objects.pods"] ?? `no pod of the cluster is ${name}; bulwark check host on its machine tells`;
      }
      return [variable, { running: false, flags: {} }];
    }
    const container = recordsOf(fieldOf(pod, "spec", "containers"))[0];
    const words = [container?.["command"], container?.["args"]].flatMap((one) =>
      Array.isArray(one) ? one.map(String) : [],
    );
    return [variable, { running: true, flags: flagsOf(words) }];
  });
  return Object.fromEntries(parts);
}

interface Grant {
  /** `ClusterRoleBinding ops`, `RoleBinding shop/ops`. */
  binding: string;
  name: string;
  /** Empty where it holds of the whole cluster. */
  namespace: string;
  role: string;
  /** `Group system:authenticated`, `ServiceAccount shop/web`. */
  subjects: string[];
  rules: { verbs: string[]; groups: string[]; resources: string[] }[];
  /** Kubernetes' own, by its name and by whom it is for: what names anybody else is not, whatever it is called. */
  system: boolean;
}

/** Users, groups and accounts of Kubernetes itself, without those that everybody is in. */
const ownSubject =
  /^(?:(?:User|Group) system:(?!authenticated$|unauthenticated$|serviceaccounts(?::|$))|ServiceAccount kube-system\/)/;

/** What every binding gives to whom. One whose role is not there gives nothing. */
function grantsOf(objects: Partial<Record<Kind, KubeResource[]>>): Grant[] {
  const clusterRoles = new Map(objects.clusterRoles?.map((role) => [role.metadata.name, role]));
  const roles = new Map(objects.roles?.map((role) => [`${role.metadata.namespace}/${role.metadata.name}`, role]));
  const bindings = [
    ...(objects.clusterRoleBindings ?? []).map((object) => ({ kind: "ClusterRoleBinding", object })),
    ...(objects.roleBindings ?? []).map((object) => ({ kind: "RoleBinding", object })),
  ];
  return bindings.map(({ kind, object }) => {
    const { name, namespace = "", labels } = object.metadata;
    const reference = recordOf(object["roleRef"]);
    const roleName = stringOf(reference["name"]);
    const subjects = recordsOf(object["subjects"]).map(subjectText);
    const own = labels?.["kubernetes.io/bootstrapping"] === "rbac-defaults" || name.startsWith("system:");
    const role = reference["kind"] === "Role" ? roles.get(`${namespace}/${roleName}`) : clusterRoles.get(roleName);
    return {
      binding: `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`,
      name,
      namespace,
      role: roleName,
      subjects,
      rules: recordsOf(role?.["rules"]).map((rule) => ({
        verbs: textsOf(rule["verbs"]),
        groups: textsOf(rule["apiGroups"]),
        resources: textsOf(rule["resources"]),
      })),
      system: own && subjects.every((subject) => ownSubject.test(subject)),
    };
  });
}

function subjectText({ kind, namespace, name }: Record<string, unknown>): string {
  return `${stringOf(kind)} ${typeof namespace === "string" ? `${namespace}/` : ""}${stringOf(name)}`;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
