import type { KubeResource } from "@bulwark/kube";
import { kubeObject, type KubeContainer, type KubeFact, type KubeKind, type KubeObject } from "@bulwark/model";

/** An object cut down to what is kept, or undefined where it is not as Kubernetes' objects are. */
export function toKubeObject(cluster: string, kind: KubeKind, raw: KubeResource): KubeObject | undefined {
  const { metadata } = raw;
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  const told = details[kind]?.(raw) ?? {};
  const parsed = kubeObject.safeParse({
    cluster,
    uid: metadata.uid,
    kind,
    apiVersion: apiVersions[kind] ?? raw.apiVersion ?? "",
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    labels: metadata.labels ?? {},
    owner: controller
      ? { kind: controller.kind, apiVersion: controller.apiVersion, name: controller.name, uid: controller.uid }
      : null,
    node: null,
    status: metadata.deletionTimestamp === undefined ? "" : "Terminating",
    healthy: true,
    facts: [],
    containers: [],
    createdAt: Date.parse(metadata.creationTimestamp ?? "") || 0,
    ...told,
    ...(metadata.deletionTimestamp !== undefined && { status: "Terminating" }),
  });
  return parsed.success ? parsed.data : undefined;
}

/** Items of a list do not say what they are. */
const apiVersions: Partial<Record<KubeKind, string>> = {
  Namespace: "v1",
  Node: "v1",
  Pod: "v1",
  Service: "v1",
  ServiceAccount: "v1",
  ReplicationController: "v1",
  ResourceQuota: "v1",
  LimitRange: "v1",
  Deployment: "apps/v1",
  ReplicaSet: "apps/v1",
  StatefulSet: "apps/v1",
  DaemonSet: "apps/v1",
  Job: "batch/v1",
  CronJob: "batch/v1",
  Ingress: "networking.k8s.io/v1",
  NetworkPolicy: "networking.k8s.io/v1",
  Role: "rbac.authorization.k8s.io/v1",
  RoleBinding: "rbac.authorization.k8s.io/v1",
  ClusterRole: "rbac.authorization.k8s.io/v1",
  ClusterRoleBinding: "rbac.authorization.k8s.io/v1",
  PodDisruptionBudget: "policy/v1",
  ValidatingAdmissionPolicy: "admissionregistration.k8s.io/v1",
  ValidatingAdmissionPolicyBinding: "admissionregistration.k8s.io/v1",
  ValidatingWebhookConfiguration: "admissionregistration.k8s.io/v1",
  MutatingWebhookConfiguration: "admissionregistration.k8s.io/v1",
};

type Details = Partial<Pick<KubeObject, "node" | "status" | "healthy" | "facts" | "containers">>;

/** `ready of wanted`, as of the fields of a status; one that is scaled to nothing is well. */
function replicas(ready: string, wanted: (raw: KubeResource) => unknown): (raw: KubeResource) => Details {
  return (raw) => {
    const has = number(at(raw, "status", ready)) ?? 0;
    const wants = number(wanted(raw)) ?? 1;
    return {
      status: `${has}/${wants}`,
      healthy: has >= wants,
      facts: [...serviceAccountOf(at(raw, "spec", "template"))],
    };
  };
}

const specReplicas = (raw: KubeResource): unknown => at(raw, "spec", "replicas");
const details: Partial<Record<KubeKind, (raw: KubeResource) => Details>> = {
  Pod: podDetails,
  Node: nodeDetails,
  Deployment: replicas("readyReplicas", specReplicas),
  ReplicaSet: replicas("readyReplicas", specReplicas),
  StatefulSet: replicas("readyReplicas", specReplicas),
  ReplicationController: replicas("readyReplicas", specReplicas),
  DaemonSet: replicas("numberReady", (raw) => at(raw, "status", "desiredNumberScheduled") ?? 0),
  Namespace: (raw) => ({ status: text(at(raw, "status", "phase")) }),
  Job: jobDetails,
  CronJob: (raw) => ({
    status: at(raw, "spec", "suspend") === true ? "Suspended" : "",
    facts: facts({ schedule: text(at(raw, "spec", "schedule")), lastRun: text(at(raw, "status", "lastScheduleTime")) }),
  }),
  Service: (raw) => ({
    status: text(at(raw, "spec", "type")),
    facts: facts({
      addresses: list(at(raw, "spec", "clusterIPs"))
        .map(text)
        .join(", "),
      ports: list(at(raw, "spec", "ports"))
        .map(portOf)
        .join(", "),
      targets: list(at(raw, "spec", "ports"))
        .map(targetOf)
        .join(", "),
      selector: pairs(at(raw, "spec", "selector")),
    }),
  }),
  Ingress: (raw) => ({
    facts: facts({
      class: text(at(raw, "spec", "ingressClassName")),
      hosts: list(at(raw, "spec", "rules"))
        .map((rule) => text(at(rule, "host")) || "*")
        .join(", "),
      tls: list(at(raw, "spec", "tls")).length > 0 ? "yes" : "no",
    }),
  }),
  ServiceAccount: (raw) => ({
    facts: facts({ mountsToken: at(raw, "automountServiceAccountToken") === false ? "no" : "yes" }),
  }),
  Role: roleDetails,
  ClusterRole: roleDetails,
  RoleBinding: bindingDetails,
  ClusterRoleBinding: bindingDetails,
  NetworkPolicy: (raw) => ({
    facts: facts({
      selector: pairs(at(raw, "spec", "podSelector", "matchLabels")) || "*",
      directions: list(at(raw, "spec", "policyTypes"))
        .map(text)
        .join(", "),
    }),
  }),
  PodDisruptionBudget: (raw) => ({ facts: facts({ selector: pairs(at(raw, "spec", "selector", "matchLabels")) }) }),
};

function podDetails(raw: KubeResource): Details {
  const containers = [
    ...containersOf(raw, "initContainers", "initContainerStatuses", true),
    ...containersOf(raw, "containers", "containerStatuses", false),
  ];
  const phase = text(at(raw, "status", "phase")) || "Pending";
  const trouble = containers.find(({ init, state, reason }) =>
    state === "waiting" ? !ordinary.has(reason) : !init && state === "terminated" && reason !== "Completed",
  );
  const status = phase === "Succeeded" ? phase : (trouble?.reason ?? "") || text(at(raw, "status", "reason")) || phase;
  return {
    node: text(at(raw, "spec", "nodeName")) || null,
    status,
    healthy: phase === "Succeeded" || (phase === "Running" && !trouble),
    containers,
    facts: [
      ...facts({ address: text(at(raw, "status", "podIP")), hostNetwork: flag(at(raw, "spec", "hostNetwork")) }),
      ...facts({ ports: containerPorts(raw).join(", ") }),
      ...facts({ priorityClass: text(at(raw, "spec", "priorityClassName")) }),
      ...serviceAccountOf(raw),
    ],
  };
}

/** A container waits for these in the ordinary course of things. */
const ordinary = new Set(["", "ContainerCreating", "PodInitializing"]);

function containersOf(raw: KubeResource, specs: string, statuses: string, init: boolean): KubeContainer[] {
  const told = new Map(list(at(raw, "status", statuses)).map((status) => [text(at(status, "name")), status]));
  return list(at(raw, "spec", specs)).map((spec) => {
    const name = text(at(spec, "name"));
    const status = told.get(name);
    const state = (["running", "terminated"] as const).find((word) => at(status, "state", word) !== undefined);
    const reason = text(at(status, "state", state ?? "waiting", "reason"));
    return {
      name,
      image: text(at(spec, "image")),
      digest: /sha256:[0-9a-f]{64}$/.exec(text(at(status, "imageID")))?.[0] ?? null,
      id: text(at(status, "containerID")).replace(/^[a-z-]+:\/\//, "") || null,
      init,
      state: state ?? "waiting",
      reason,
      restarts: number(at(status, "restartCount")) ?? 0,
    };
  });
}

function nodeDetails(raw: KubeResource): Details {
  const ready = list(at(raw, "status", "conditions")).find((item) => at(item, "type") === "Ready");
  const isReady = at(ready, "status") === "True";
  const cordoned = at(raw, "spec", "unschedulable") === true;
  const info = at(raw, "status", "nodeInfo");
  const addresses = list(at(raw, "status", "addresses"));
  return {
    status: `${isReady ? "Ready" : "NotReady"}${cordoned ? ", cordoned" : ""}`,
    healthy: isReady,
    facts: facts({
      kubelet: text(at(info, "kubeletVersion")),
      system: text(at(info, "osImage")),
      kernel: text(at(info, "kernelVersion")),
      runtime: text(at(info, "containerRuntimeVersion")),
      architecture: text(at(info, "architecture")),
      address: text(
        at(
          addresses.find((item) => at(item, "type") === "InternalIP"),
          "address",
        ),
      ),
      taints: list(at(raw, "spec", "taints"))
        .map(taintOf)
        .join(", "),
    }),
  };
}

function jobDetails(raw: KubeResource): Details {
  const failed = list(at(raw, "status", "conditions")).some(
    (item) => at(item, "type") === "Failed" && at(item, "status") === "True",
  );
  const wanted = number(at(raw, "spec", "completions")) ?? 1;
  const status = failed ? "Failed" : `${number(at(raw, "status", "succeeded")) ?? 0}/${wanted}`;
  return { status, healthy: !failed, facts: [...serviceAccountOf(at(raw, "spec", "template"))] };
}

/** What is in a role is said in words that a person reads: `get, list pods`. */
function roleDetails(raw: KubeResource): Details {
  const rules = list(at(raw, "rules"));
  const said = rules.map((rule): KubeFact => {
    const verbs = list(at(rule, "verbs")).map(text).join(", ");
    const what = [...list(at(rule, "resources")), ...list(at(rule, "nonResourceURLs"))].map(text).join(", ");
    return { key: "rule", value: `${verbs}: ${what}`.slice(0, 1024) };
  });
  return { facts: said.slice(0, 60), status: rules.length > 60 ? `${rules.length} rules` : "" };
}

function bindingDetails(raw: KubeResource): Details {
  const subjects = list(at(raw, "subjects")).map((subject): KubeFact => {
    const namespace = text(at(subject, "namespace"));
    const name = text(at(subject, "name"));
    return {
      key: "subject",
      value: `${text(at(subject, "kind"))} ${namespace === "" ? name : `${namespace}/${name}`}`,
    };
  });
  const role = `${text(at(raw, "roleRef", "kind"))} ${text(at(raw, "roleRef", "name"))}`;
  return { facts: [...facts({ role }), ...subjects.slice(0, 60)] };
}

function serviceAccountOf(template: unknown): KubeFact[] {
  return facts({ serviceAccount: text(at(template, "spec", "serviceAccountName")) });
}

/** The ones that say something. */
function facts(told: Record<string, string>): KubeFact[] {
  return Object.entries(told)
    .filter(([, value]) => value !== "")
    .map(([key, value]) => ({ key, value: value.slice(0, 1024) }));
}

/** What is at a place of a foreign object, or undefined where there is no such place. */
function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, name)
        ? (inner as Record<string, unknown>)[name]
        : undefined,
    value,
  );
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

function flag(value: unknown): string {
  return value === true ? "yes" : "";
}

function pairs(value: unknown): string {
  if (typeof value !== "object" || value === null) return "";
  return Object.entries(value)
    .map(([key, word]) => `${key}=${text(word)}`)
    .join(",");
}

function portOf(port: unknown): string {
  return `${number(at(port, "port")) ?? ""}/${text(at(port, "protocol")) || "TCP"}`;
}

/** `80/TCP=8080`: where a port of a Service leads to, by number or by the name that pods give it. */
function targetOf(port: unknown): string {
  const target = at(port, "targetPort");
  const leadsTo = number(target) ?? (text(target) || number(at(port, "port")));
  return `${portOf(port)}=${leadsTo ?? ""}`;
}

/** Ports that containers say they listen on: `http=8080/TCP`, `53/UDP`. */
function containerPorts(raw: KubeResource): string[] {
  // Of the containers that start first, only those that stay (sidecars) can be connected to.
  const stay = list(at(raw, "spec", "initContainers")).filter((one) => at(one, "restartPolicy") === "Always");
  const ports = [...list(at(raw, "spec", "containers")), ...stay].flatMap((one) => list(at(one, "ports")));
  return ports.map((port) => {
    const name = text(at(port, "name"));
    const rest = `${number(at(port, "containerPort")) ?? ""}/${text(at(port, "protocol")) || "TCP"}`;
    return name === "" ? rest : `${name}=${rest}`;
  });
}

function taintOf(taint: unknown): string {
  const value = text(at(taint, "value"));
  return `${text(at(taint, "key"))}${value === "" ? "" : `=${value}`}:${text(at(taint, "effect"))}`;
}
