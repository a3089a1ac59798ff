import assert from "node:assert/strict";
import test from "node:test";
import type { AuditRecord } from "@bulwark/model";
import {
  createGraph,
  dangers,
  parseState,
  propose,
  RbacError,
  stateText,
  subjectText,
  unused,
  type Graph,
} from "./index.ts";

const apiVersion = "rbac.authorization.k8s.io/v1";

interface RuleText {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

function clusterRole(name: string, ...rules: RuleText[]) {
  return {
    apiVersion,
    kind: "ClusterRole",
    metadata: { name },
    rules: rules.map((rule) => ({ apiGroups: [""], ...rule })),
  };
}

/** Gives `subject` the cluster role; in a namespace, or everywhere. */
function bind(role: string, subject: object, namespace?: string) {
  return {
    apiVersion,
    kind: namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
    metadata: { name: `${role}-binding`, ...(namespace !== undefined && { namespace }) },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [subject],
  };
}

const alice = { kind: "User", name: "alice" };
const admin = bind("cluster-admin", { kind: "ServiceAccount", namespace: "kube-system", name: "operator" });
const everything = clusterRole("cluster-admin", { verbs: ["*"], apiGroups: ["*"], resources: ["*"] });
const node = { kind: "Node", metadata: { name: "n1" } };

function pod(namespace: string, name: string, spec: object = {}) {
  return { kind: "Pod", metadata: { namespace, name }, spec: { nodeName: "n1", ...spec } };
}

/** Techniques of the shortest way, for a graph of cluster-admin, an operator that has it, and these objects. */
function way(goal: "cluster-admin" | "node", from: string, ...objects: object[]): string[] | undefined {
  const graph = createGraph([everything, admin, node, ...objects] as Record<string, unknown>[]);
  const [first] = graph.paths(parseState(from), goal);
  return first?.steps.map(({ technique }) => technique);
}

test("who can: groups, wildcards, names, namespaces and subresources as the authorizer has them", () => {
  const graph = createGraph([
    clusterRole("reader", { verbs: ["get"], resources: ["pods", "*/log"] }),
    clusterRole("scaler", { verbs: ["update"], apiGroups: ["apps"], resources: ["*"] }),
    clusterRole("one", { verbs: ["get", "create"], resources: ["secrets"], resourceNames: ["key"] }),
    clusterRole("metrics", { verbs: ["get"], nonResourceURLs: ["/metrics", "/healthz/*"] }),
    bind("reader", { kind: "Group", name: "developers" }),
    bind("scaler", alice, "shop"),
    bind("one", alice),
    bind("metrics", { kind: "ServiceAccount", namespace: "watch", name: "prometheus" }),
  ] as Record<string, unknown>[]);
  const who = (verb: string, group: string, resource: string, place: object = {}): string[] =>
    graph.whoCan({ verb, group, resource, ...place }).map(({ subject }) => subjectText(subject));
  assert.deepEqual(who("get", "", "pods"), ["Group developers"]);
  assert.deepEqual(who("get", "", "pods/log"), ["Group developers"]);
  assert.deepEqual(who("get", "", "pods/exec"), []);
  assert.deepEqual(who("get", "apps", "pods"), []);
  assert.deepEqual(who("update", "apps", "deployments/scale", { namespace: "shop" }), ["User alice"]);
  assert.deepEqual(who("update", "apps", "deployments", { namespace: "bank" }), []);
  assert.deepEqual(who("update", "apps", "deployments", { namespace: null }), []);
  assert.deepEqual(who("get", "", "secrets", { name: "key" }), ["User alice"]);
  assert.deepEqual(who("get", "", "secrets", { name: "other" }), []);
  assert.deepEqual(who("create", "", "secrets"), []);
  assert.deepEqual(
    graph.whoCanReach("get", "/healthz/etcd").map(({ subject }) => subjectText(subject)),
    ["ServiceAccount watch/prometheus"],
  );
  assert.deepEqual(graph.whoCanReach("get", "/version"), []);
});

test("aggregated roles have the rules of those that their labels choose", () => {
  const graph = createGraph([
    {
      kind: "ClusterRole",
      metadata: { name: "all" },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: "all" } }] },
    },
    {
      ...clusterRole("part", { verbs: ["get"], resources: ["nodes"] }),
      metadata: { name: "part", labels: { to: "all" } },
    },
    bind("all", alice),
  ] as Record<string, unknown>[]);
  assert.equal(graph.whoCan({ verb: "get", group: "", resource: "nodes", clusterScoped: true }).length, 1);
});

test("a binding in a namespace gives nothing that is in none", () => {
  const role = clusterRole("proxy", { verbs: ["get"], resources: ["nodes/proxy"] });
  assert.equal(
    way(
      "cluster-admin",
      "user:alice",
      role,
      bind("proxy", alice, "shop"),
      pod("kube-system", "o", { serviceAccountName: "operator" }),
    ),
    undefined,
  );
  assert.deepEqual(
    way(
      "cluster-admin",
      "user:alice",
      role,
      bind("proxy", alice),
      pod("kube-system", "o", { serviceAccountName: "operator" }),
    ),
    ["proxy-node", "leave-pod", "everything"],
  );
});

/** Each technique alone: what one must be given, and the way that it opens. */
const cases: [
  name: string,
  rules: RuleText[],
  way: string[] | undefined,
  namespace?: string | undefined,
  more?: object[],
][] = [
  ["nothing", [{ verbs: ["get", "list"], resources: ["pods"] }], undefined],
  [
    "escalate",
    [{ verbs: ["escalate", "patch"], apiGroups: [apiVersion.split("/")[0] ?? ""], resources: ["clusterroles"] }],
    ["escalate-role"],
  ],
  ["escalate without change", [{ verbs: ["escalate"], apiGroups: ["*"], resources: ["clusterroles"] }], undefined],
  [
    "bind",
    [
      { verbs: ["bind"], apiGroups: ["*"], resources: ["clusterroles"] },
      { verbs: ["create"], apiGroups: ["*"], resources: ["clusterrolebindings"] },
    ],
    ["bind-role"],
  ],
  [
    "bind of a weak role",
    [
      { verbs: ["bind"], apiGroups: ["*"], resources: ["clusterroles"], resourceNames: ["view"] },
      { verbs: ["create"], apiGroups: ["*"], resources: ["clusterrolebindings"] },
    ],
    undefined,
  ],
  [
    "bind where the operator is",
    [{ verbs: ["bind", "create"], apiGroups: ["*"], resources: ["clusterroles", "rolebindings"] }],
    ["bind-role", "impersonate", "everything"],
    "kube-system",
  ],
  ["impersonate groups and users", [{ verbs: ["impersonate"], resources: ["groups", "users"] }], ["impersonate"]],
  ["impersonate groups alone", [{ verbs: ["impersonate"], resources: ["groups"] }], undefined],
  ["impersonate accounts", [{ verbs: ["impersonate"], resources: ["serviceaccounts"] }], ["impersonate", "everything"]],
  ["token", [{ verbs: ["create"], resources: ["serviceaccounts/token"] }], ["create-token", "everything"]],
  [
    "token of another",
    [{ verbs: ["create"], resources: ["serviceaccounts/token"], resourceNames: ["default"] }],
    undefined,
  ],
  ["token elsewhere", [{ verbs: ["create"], resources: ["serviceaccounts/token"] }], undefined, "shop"],
  [
    "secrets that are there",
    [{ verbs: ["list"], resources: ["secrets"] }],
    ["read-secrets", "everything"],
    undefined,
    [
      {
        kind: "Secret",
        type: "kubernetes.io/service-account-token",
        metadata: {
          namespace: "kube-system",
          name: "t",
          annotations: { "kubernetes.io/service-account.name": "operator" },
        },
      },
    ],
  ],
  ["secrets without a token", [{ verbs: ["list"], resources: ["secrets"] }], undefined],
  [
    "secrets that one makes",
    [{ verbs: ["get", "create"], resources: ["secrets"] }],
    ["read-secrets", "everything"],
    "kube-system",
  ],
  ["pods", [{ verbs: ["create"], resources: ["pods"] }], ["run-pod", "everything"], "kube-system"],
  [
    "cron jobs",
    [{ verbs: ["patch"], apiGroups: ["batch"], resources: ["cronjobs"] }],
    ["run-pod", "everything"],
    "kube-system",
  ],
  [
    "exec",
    [{ verbs: ["create"], resources: ["pods/exec"] }],
    ["enter-pod", "leave-pod", "everything"],
    "kube-system",
    [pod("kube-system", "o", { serviceAccountName: "operator" })],
  ],
  [
    "exec without a token",
    [{ verbs: ["create"], resources: ["pods/exec"] }],
    undefined,
    "kube-system",
    [pod("kube-system", "o", { serviceAccountName: "operator", automountServiceAccountToken: false })],
  ],
  [
    "exec over WebSocket",
    [{ verbs: ["get"], resources: ["pods/exec"] }],
    ["enter-pod", "leave-pod", "everything"],
    "kube-system",
    [pod("kube-system", "o", { serviceAccountName: "operator" })],
  ],
  [
    "webhooks",
    [{ verbs: ["patch"], apiGroups: ["admissionregistration.k8s.io"], resources: ["mutatingwebhookconfigurations"] }],
    ["change-webhook"],
  ],
  [
    "aws-auth",
    [{ verbs: ["patch"], resources: ["configmaps"] }],
    ["change-aws-auth"],
    "kube-system",
    [{ kind: "ConfigMap", metadata: { namespace: "kube-system", name: "aws-auth" } }],
  ],
  ["config maps where there is no aws-auth", [{ verbs: ["patch"], resources: ["configmaps"] }], undefined],
  [
    "certificates",
    [
      {
        verbs: ["create", "update", "approve"],
        apiGroups: ["certificates.k8s.io"],
        resources: ["certificatesigningrequests", "certificatesigningrequests/approval", "signers"],
      },
    ],
    ["approve-certificates", "everything"],
    undefined,
    [bind("cluster-admin", { kind: "User", name: "root" })],
  ],
  [
    "certificates of kubelets",
    [
      {
        verbs: ["create", "update"],
        apiGroups: ["certificates.k8s.io"],
        resources: ["certificatesigningrequests", "certificatesigningrequests/approval"],
      },
      {
        verbs: ["approve"],
        apiGroups: ["certificates.k8s.io"],
        resources: ["signers"],
        resourceNames: ["kubernetes.io/kubelet-serving"],
      },
    ],
    undefined,
    undefined,
    [bind("cluster-admin", { kind: "User", name: "root" })],
  ],
];

for (const [name, rules, expected, namespace, more = []] of cases) {
  test(`to cluster-admin by ${name}`, () => {
    const objects = [clusterRole("given", ...rules), bind("given", alice, namespace), ...more];
    assert.deepEqual(way("cluster-admin", "user:alice", ...objects), expected);
  });
}

test("to a node: privileged pods where Pod Security lets them, volumes where it does not", () => {
  const pods = clusterRole("pods", { verbs: ["create"], resources: ["pods"] });
  const shop = (enforce?: string) => ({
    kind: "Namespace",
    metadata: { name: "shop", labels: enforce === undefined ? {} : { "pod-security.kubernetes.io/enforce": enforce } },
  });
  assert.deepEqual(way("node", "user:alice", pods, bind("pods", alice, "shop"), shop()), ["run-pod"]);
  assert.equal(way("node", "user:alice", pods, bind("pods", alice, "shop"), shop("baseline")), undefined);
  const relabel = clusterRole("pods", { verbs: ["create", "patch"], resources: ["pods", "namespaces"] });
  assert.deepEqual(way("node", "user:alice", relabel, bind("pods", alice, "shop"), shop("baseline")), ["run-pod"]);
  const volumes = clusterRole("volumes", {
    verbs: ["create"],
    resources: ["persistentvolumes", "persistentvolumeclaims"],
  });
  assert.deepEqual(
    way("node", "user:alice", pods, bind("pods", alice, "shop"), volumes, bind("volumes", alice), shop("restricted")),
    ["create-persistent-volume"],
  );
});

test("from a pod that was broken into, step by step with the object that allows each", () => {
  const graph = createGraph([
    everything,
    node,
    clusterRole("deployer", { verbs: ["create"], apiGroups: ["apps"], resources: ["deployments"] }),
    bind("deployer", { kind: "ServiceAccount", namespace: "shop", name: "ci" }, "shop"),
    bind("cluster-admin", { kind: "ServiceAccount", namespace: "shop", name: "operator" }),
    pod("shop", "web", { serviceAccountName: "ci" }),
  ] as Record<string, unknown>[]);
  const [path] = graph.paths(parseState("pod:shop/web"), "cluster-admin");
  assert.deepEqual(
    path?.steps.map(({ to }) => stateText(to)),
    ["ServiceAccount shop/ci", "ServiceAccount shop/operator", "cluster-admin"],
  );
  assert.deepEqual(
    path?.steps.map(({ grants }) => grants.map(({ binding }) => binding.name)),
    [[], ["deployer-binding"], ["cluster-admin-binding"]],
  );
  assert.deepEqual(
    graph.cuts(parseState("pod:shop/web"), "cluster-admin").map(({ name }) => name),
    ["deployer-binding", "cluster-admin-binding"],
  );
  assert.throws(() => graph.paths(parseState("pod:shop/none"), "cluster-admin"), RbacError);
  assert.throws(() => parseState("somebody"), RbacError);
});

test("a pod that is its node has what every pod there has", () => {
  const escape = pod("shop", "agent", {
    automountServiceAccountToken: false,
    containers: [{ securityContext: { privileged: true } }],
  });
  const other = pod("kube-system", "o", { serviceAccountName: "operator" });
  assert.deepEqual(way("cluster-admin", "pod:shop/agent", escape, other), ["leave-pod", "node-holdings", "everything"]);
});

test("circles end, and several ways are told, the shortest first", () => {
  const token = (name: string) => clusterRole(name, { verbs: ["create"], resources: ["serviceaccounts/token"] });
  const graph = createGraph([
    everything,
    admin,
    token("t"),
    bind("t", alice),
    bind("t", { kind: "ServiceAccount", namespace: "shop", name: "a" }),
    bind("t", { kind: "ServiceAccount", namespace: "shop", name: "b" }),
  ] as Record<string, unknown>[]);
  const lengths = graph.paths(parseState("user:alice"), "cluster-admin").map(({ steps }) => steps.length);
  assert.deepEqual(lengths, [2, 3, 3, 4, 4]);
});

test("dangerous grants are worst when everybody has them; Kubernetes' own are left out unless asked for", () => {
  const objects = [
    clusterRole("secrets", { verbs: ["list"], resources: ["secrets"] }),
    bind("secrets", { kind: "Group", name: "system:authenticated" }),
    clusterRole("named", { verbs: ["get"], resources: ["secrets"], resourceNames: ["one"] }),
    bind("named", alice),
    {
      ...bind("secrets", { kind: "User", name: "system:kube-controller-manager" }),
      metadata: { name: "system:controller" },
    },
  ] as Record<string, unknown>[];
  const graph: Graph = createGraph(objects);
  const seen = dangers(graph).map(({ id, severity, subject }) => [id, severity, subjectText(subject)]);
  assert.deepEqual(seen, [["secrets", "critical", "Group system:authenticated"]]);
  assert.equal(dangers(graph, { own: true }).length, 2);
});

test("the least rights are those that were used; what was never used is named", () => {
  const record = (verb: string, resource: string, namespace: string, more: Partial<AuditRecord> = {}): AuditRecord => ({
    cluster: "c",
    stage: "ResponseComplete",
    verb,
    user: "system:serviceaccount:shop:web",
    groups: [],
    impersonated: "",
    sourceIps: [],
    userAgent: "",
    object: { group: resource === "deployments" ? "apps" : "", resource, subresource: "", namespace, name: "x" },
    uri: "",
    status: 200,
    decision: "allow",
    reason: "",
    ...more,
  });
  const records = [
    record("get", "pods", "shop"),
    record("list", "pods", "shop"),
    record("get", "services", "shop"),
    record("list", "services", "shop"),
    record("get", "deployments", "shop"),
    record("get", "nodes", ""),
    record("delete", "pods", "shop", { decision: "forbid", status: 403 }),
    record("delete", "secrets", "shop", { user: "alice" }),
  ];
  const web = { kind: "ServiceAccount", namespace: "shop", name: "web" } as const;
  assert.deepEqual(propose(web, records), [
    { namespace: null, rules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["get"] }] },
    {
      namespace: "shop",
      rules: [
        { apiGroups: [""], resources: ["pods", "services"], verbs: ["get", "list"] },
        { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get"] },
      ],
    },
  ]);
  const graph = createGraph([
    clusterRole("wide", { verbs: ["get"], resources: ["pods"] }, { verbs: ["delete"], resources: ["configmaps"] }),
    bind("wide", web, "shop"),
  ] as Record<string, unknown>[]);
  assert.deepEqual(unused(graph, web, records), [
    { binding: "wide-binding", role: "wide", namespace: "shop", rule: 1 },
  ]);
});

test("objects of any shape are read without a fault", () => {
  const odd = [
    { kind: "ClusterRole" },
    { kind: "ClusterRoleBinding", subjects: "x", roleRef: 1 },
    { kind: "Pod", spec: [] },
    { kind: "Role", rules: [null, { verbs: [1] }] },
    {},
  ];
  const graph = createGraph(odd);
  assert.deepEqual(dangers(graph), []);
});
