import type { Severity } from "@bulwark/model";
import { subjectText, type Request } from "./access.ts";
import type { Graph } from "./graph.ts";
import type { Binding, Subject } from "./objects.ts";

/** A grant that is dangerous by itself, whoever has it. */
export interface Danger {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly subject: Subject;
  readonly namespace: string | null;
  readonly binding: Binding;
  readonly role: string;
  readonly remedy: string;
}

interface Kind {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly remedy: string;
  readonly requests: readonly Request[];
}

const core = (resource: string, ...verbs: string[]): Request[] => verbs.map((verb) => ({ verb, group: "", resource }));
const cluster = (group: string, resource: string, ...verbs: string[]): Request[] =>
  verbs.map((verb) => ({ verb, group, resource, clusterScoped: true }));
const rbac = "rbac.authorization.k8s.io";
const admission = "admissionregistration.k8s.io";
const writes = ["create", "update", "patch"];

const kinds: readonly Kind[] = [
  {
    id: "everything",
    title: "Every verb on everything",
    severity: "critical",
    remedy: "Give the rights that are used, by name.",
    requests: [{ verb: "*", group: "*", resource: "*" }],
  },
  {
    id: "escalate-or-bind",
    title: "Gives rights that it does not have (escalate, bind)",
    severity: "critical",
    remedy: "Only controllers of roles need it; limit bind by resourceNames.",
    requests: [
      ...["clusterroles", "roles"].flatMap((resource) =>
        ["escalate", "bind"].map((verb) => ({ verb, group: rbac, resource })),
      ),
    ],
  },
  {
    id: "impersonate",
    title: "Acts as others (impersonate)",
    severity: "critical",
    remedy: "Limit it by resourceNames.",
    requests: [
      ...cluster("", "users", "impersonate"),
      ...cluster("", "groups", "impersonate"),
      ...core("serviceaccounts", "impersonate"),
    ],
  },
  {
    id: "secrets",
    title: "Reads secrets",
    severity: "high",
    remedy: "Give get on the secrets that are needed, by resourceNames; list and watch give the content too.",
    requests: core("secrets", "get", "list", "watch"),
  },
  {
    id: "tokens",
    title: "Has tokens made for service accounts",
    severity: "high",
    remedy: "Limit serviceaccounts/token by resourceNames.",
    requests: core("serviceaccounts/token", "create"),
  },
  {
    id: "exec",
    title: "Runs commands in pods",
    severity: "high",
    remedy: "Take exec, attach and ephemeral containers away where nobody debugs.",
    requests: [
      ...core("pods/exec", "create", "get"),
      ...core("pods/attach", "create", "get"),
      ...core("pods/ephemeralcontainers", "update", "patch"),
    ],
  },
  {
    id: "node-proxy",
    title: "Speaks to kubelets (nodes/proxy)",
    severity: "critical",
    remedy: "Give nodes/metrics or nodes/stats instead.",
    requests: cluster("", "nodes/proxy", "get", "create"),
  },
  {
    id: "pods",
    title: "Makes pods",
    severity: "medium",
    remedy: "Enforce Pod Security there, and keep strong service accounts elsewhere.",
    requests: core("pods", "create"),
  },
  {
    id: "certificates",
    title: "Approves client certificates",
    severity: "critical",
    remedy: "Limit approve to the signers that are needed.",
    requests: cluster("certificates.k8s.io", "certificatesigningrequests/approval", "update", "patch"),
  },
  {
    id: "admission",
    title: "Changes what is asked at admission",
    severity: "critical",
    remedy: "Only who installs the cluster needs it.",
    requests: [
      ...cluster(admission, "mutatingwebhookconfigurations", ...writes, "delete"),
      ...cluster(admission, "validatingwebhookconfigurations", ...writes, "delete"),
      ...cluster(admission, "mutatingadmissionpolicies", ...writes),
      ...cluster(admission, "validatingadmissionpolicies", ...writes, "delete"),
    ],
  },
  {
    id: "definitions",
    title: "Changes custom resource definitions and API services",
    severity: "high",
    remedy: "Only who installs operators needs it: a conversion webhook reads and changes every custom object.",
    requests: [
      ...cluster("apiextensions.k8s.io", "customresourcedefinitions", ...writes),
      ...cluster("apiregistration.k8s.io", "apiservices", ...writes),
    ],
  },
  {
    id: "volumes",
    title: "Makes persistent volumes",
    severity: "high",
    remedy: "Let only the provisioner do it: a hostPath volume is the node's file system.",
    requests: cluster("", "persistentvolumes", "create"),
  },
  {
    id: "nodes",
    title: "Changes nodes",
    severity: "high",
    remedy: "Only kubelets and the node controller need it: labels and taints draw pods to a node.",
    requests: cluster("", "nodes", "update", "patch", "delete"),
  },
  {
    id: "namespaces",
    title: "Changes namespaces",
    severity: "medium",
    remedy: "Pod Security is a label of the namespace: who writes it can take it off.",
    requests: core("namespaces", "update", "patch"),
  },
];

/** The control plane's own, which Kubernetes installs. */
function isOwn({ name }: Subject, binding: Binding): boolean {
  return name === "system:masters" || (name.startsWith("system:") && binding.name.startsWith("system:"));
}

/**
 * Grants that are dangerous by themselves. Those of the control plane's own bindings (`system:…`) are left out unless
 * `own` is set. Given to everybody (`system:authenticated`, `system:unauthenticated`, all service accounts) they are
 * critical.
 */
export function dangers(graph: Graph, { own = false }: { own?: boolean } = {}): Danger[] {
  const found = new Map<string, Danger>();
  for (const kind of kinds) {
    for (const request of kind.requests) {
      for (const { subject, namespace, names, binding, role } of graph.whoCan(request)) {
        if (names.length > 0 || (!own && isOwn(subject, binding))) continue;
        const key = [kind.id, subjectText(subject), namespace, binding.name].join("|");
        if (found.has(key)) continue;
        const severity = isEverybody(subject) ? "critical" : kind.severity;
        const { id, title, remedy } = kind;
        found.set(key, { id, title, severity, subject, namespace, binding, role: role.name, remedy });
      }
    }
  }
  return [...found.values()];
}

function isEverybody({ kind, name }: Subject): boolean {
  const all = ["system:authenticated", "system:unauthenticated", "system:serviceaccounts"];
  return (kind === "Group" && all.includes(name)) || (kind === "User" && name === "system:anonymous");
}
