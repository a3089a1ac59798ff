import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Cluster } from "./cluster.ts";
import { connections, portSetText } from "./connectivity.ts";
import { diff } from "./diff.ts";
import { createEvaluator, type Evaluator } from "./evaluator.ts";
import { explain } from "./explain.ts";
import { lint } from "./lint.ts";
import { loadTexts } from "./load.ts";

const namespaces = [{ name: "a" }, { name: "b" }];
const pods = [
  {
    namespace: "a",
    name: "web",
    labels: { app: "web" },
    ips: ["10.0.0.1"],
    ports: [{ name: "http", containerPort: 80 }],
  },
  { namespace: "a", name: "db", labels: { app: "db" }, ips: ["10.0.0.2"] },
  { namespace: "b", name: "job", labels: { app: "job", "pod-template-hash": "x1" }, ips: ["fd00::2"] },
];
const evaluator = (policies: unknown[], more: Partial<Cluster> = {}): Evaluator =>
  createEvaluator({ namespaces, pods, policies, ...more }, { onProblem: "skip" });

function networkPolicy(name: string, spec: object, namespace = "a"): object {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec };
}
function clusterPolicy(name: string, priority: number, action: string, more: object = {}): object {
  const ingress = [{ action, from: [{ namespaces: {} }], ...more }];
  const spec = { tier: "Admin", priority, subject: { namespaces: {} }, ingress };
  return { apiVersion: "policy.networking.k8s.io/v1alpha2", kind: "ClusterNetworkPolicy", metadata: { name }, spec };
}
const closed = networkPolicy("closed", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
const from = (app: string): object => ({ podSelector: { matchLabels: { app } } });
const toDb = networkPolicy("db", {
  podSelector: { matchLabels: { app: "db" } },
  ingress: [{ from: [from("web")], ports: [{ port: 5432 }] }],
});

/** The steps of an explanation, taken one after another, must turn the verdict. */
test("what explain says would change a verdict does change it, however many policies stand in the way", () => {
  const choice = fc.subarray([
    closed,
    toDb,
    networkPolicy("closed", { podSelector: {}, policyTypes: ["Egress"] }, "b"),
    clusterPolicy("deny", 1, "Deny"),
    clusterPolicy("deny-more", 2, "Deny", { protocols: [{ tcp: { destinationPort: { number: 5432 } } }] }),
    clusterPolicy("accept", 3, "Accept"),
    {
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: { name: "cilium", namespace: "a" },
      spec: { endpointSelector: {}, ingressDeny: [{ fromEntities: ["all"] }] },
    },
  ]);
  const end = fc.constantFrom("a/web", "a/db", "b/job", "192.0.2.1");
  const query = fc.record({ from: end, to: end, port: fc.constantFrom(80, 5432) }).filter((one) => one.from !== one.to);
  fc.assert(
    fc.property(choice, query, (policies, asked) => {
      const { verdict, changes } = explain(evaluator(policies), asked);
      assert.ok(changes.length > 0, "there is always a way while one end is a pod");
      let objects: object[] = structuredClone(policies);
      for (const { add, remove } of changes) {
        if (add) objects.push(add);
        if (remove) objects = objects.map((object) => withoutRule(object, remove.policy.name, remove.path));
      }
      assert.equal(evaluator(objects).connection(asked).allowed, !verdict.allowed);
    }),
    { numRuns: 300 },
  );
});

interface Written {
  kind: string;
  metadata: { name: string };
  spec: Record<string, unknown[]> & { enableDefaultDeny?: object };
}

function withoutRule(object: object, name: string, path: string): object {
  const copy = structuredClone(object) as Written;
  const [, list = "", index = ""] = /^spec\.(\w+)\[(\d+)\]$/.exec(path) ?? [];
  if (copy.metadata.name !== name) return object;
  copy.spec[list]?.splice(Number(index), 1);
  if (copy.kind.startsWith("Cilium")) copy.spec.enableDefaultDeny = { ingress: true };
  return copy;
}

test("explain lists every rule that was asked, and where it ended", () => {
  const policies = [
    toDb,
    clusterPolicy("web", 1, "Deny", { protocols: [{ tcp: { destinationPort: { number: 80 } } }] }),
    clusterPolicy("pass", 2, "Pass"),
    clusterPolicy("late", 3, "Deny"),
  ];
  const { ingress } = explain(evaluator(policies), { from: "b/job", to: "a/db", port: 5432 });
  assert.deepEqual(
    ingress.rules.map(({ policy, outcome }) => [policy.name, outcome]),
    [
      ["web", "other port"],
      ["pass", "passes on"],
      ["late", "not reached"],
      ["db", "other peer"],
    ],
  );
  assert.match(ingress.text, /denied: no rule of NetworkPolicy a\/db allows it/);
});

test("diff says exactly what opens and what closes, for pods and for the world", () => {
  const wider = networkPolicy("db", {
    podSelector: { matchLabels: { app: "db" } },
    ingress: [
      {
        from: [{ ipBlock: { cidr: "192.0.2.0/24" } }, { namespaceSelector: {} }],
        ports: [{ port: 5432, endPort: 5433 }],
      },
    ],
  });
  const narrower = networkPolicy("web", { podSelector: { matchLabels: { app: "web" } }, ingress: [] });
  const { opened, closed: shut } = diff(evaluator([toDb]), evaluator([wider, narrower]));
  const lines = (list: typeof opened): string[] =>
    list
      .map(
        (one) => `${[...one.from.pods, ...one.from.addresses].join()} ${one.to.pods.join()} ${portSetText(one.ports)}`,
      )
      .sort((a, b) => (a < b ? -1 : 1));
  assert.deepEqual(lines(opened), [
    "192.0.2.0/24 a/db TCP 5432-5433",
    "a/db a/db TCP 5432-5433",
    "a/web a/db TCP 5433",
    "b/job a/db TCP 5432-5433",
  ]);
  assert.equal(
    shut.every(({ to }) => to.pods.join() === "a/web"),
    true,
  );
  assert.deepEqual(
    shut.flatMap(({ from }) => from.pods).sort((a, b) => (a < b ? -1 : 1)),
    ["a/db", "a/web", "b/job"],
  );
  const same = diff(evaluator([toDb, closed]), evaluator([closed, toDb]));
  assert.deepEqual([same.opened, same.closed], [[], []]);
});

test("diff names pods that are there only on one side, and does not count them", () => {
  const more = [...pods, { namespace: "a", name: "new", labels: {} }];
  const difference = diff(evaluator([]), evaluator([], { pods: more }));
  assert.deepEqual(difference, { opened: [], closed: [], added: ["a/new"], removed: [] });
});

test("pods behind one another's back are one line of the table", () => {
  const replicas = Array.from({ length: 50 }, (_, n) => ({ namespace: "a", name: `r${n}`, labels: { app: "r" } }));
  const open = connections(evaluator([closed], { pods: replicas }));
  assert.equal(open.length, 0);
  const all = connections(evaluator([], { pods: replicas }));
  assert.deepEqual(
    all.map(({ from, to }) => [from.pods.length, to.pods.length]),
    [
      [50, 50],
      [50, 0],
      [0, 50],
    ],
  );
});

const findings = (policies: unknown[]): string[] =>
  lint(evaluator(policies)).map(({ code, object, path }) => `${code} ${object} ${path}`);

test("lint finds nothing where there is nothing", () => {
  assert.deepEqual(
    findings([closed, toDb, clusterPolicy("a", 1, "Deny"), networkPolicy("x", { podSelector: {}, egress: [{}] }, "b")]),
    [],
  );
});

test("lint finds policies for nobody, peers that are nobody, names of no port", () => {
  assert.deepEqual(
    findings([
      networkPolicy("nobody", { podSelector: { matchLabels: { app: "wbe" } } }),
      networkPolicy("web", { podSelector: from("web"), ingress: [] }, "nowhere"),
      networkPolicy("ports", {
        podSelector: {},
        ingress: [{ from: [from("gone"), from("db")], ports: [{ port: "http" }, { port: "https" }] }],
      }),
    ]),
    [
      "invalid NetworkPolicy nowhere/web spec.podSelector.podSelector",
      "selects-nothing NetworkPolicy a/nobody spec",
      "peer-matches-nothing NetworkPolicy a/ports spec.ingress[0].from[0]",
      "unresolved-port-name NetworkPolicy a/ports spec.ingress[0]",
    ],
  );
});

test("lint finds rules that an earlier or a wider one leaves nothing to, once for two that say the same", () => {
  const wide = networkPolicy("wide", { podSelector: {}, ingress: [{ ports: [{ port: 1, endPort: 9999 }] }] });
  assert.deepEqual(findings([toDb, wide]), ["shadowed-rule NetworkPolicy a/db spec.ingress[0]"]);
  const twice = { ...toDb, metadata: { name: "db2", namespace: "a" } };
  assert.deepEqual(findings([toDb, twice]), ["shadowed-rule NetworkPolicy a/db2 spec.ingress[0]"]);
  const later = clusterPolicy("later", 2, "Accept", { protocols: [{ tcp: { destinationPort: { number: 80 } } }] });
  assert.deepEqual(findings([clusterPolicy("early", 1, "Pass"), later]), [
    "shadowed-rule ClusterNetworkPolicy later spec.ingress[0]",
  ]);
  assert.deepEqual(findings([clusterPolicy("early", 3, "Pass"), later]), []);
});

test("lint finds policies whose order nobody has defined", () => {
  assert.deepEqual(
    findings([
      clusterPolicy("a", 7, "Deny", { protocols: [{ udp: { destinationPort: { number: 53 } } }] }),
      clusterPolicy("b", 7, "Deny"),
    ]),
    ["same-priority ClusterNetworkPolicy b spec.priority"],
  );
});

const yaml = `
apiVersion: v1
kind: NamespaceList
items:
- apiVersion: v1
  kind: Namespace
  metadata: {name: shop, labels: {env: prod}}
---
# only a comment
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      hostNetwork: true
      initContainers:
      - {name: once, ports: [{containerPort: 1}]}
      - {name: sidecar, restartPolicy: Always, ports: [{containerPort: 2, protocol: UDP}]}
      containers:
      - {name: web, ports: [{name: http, containerPort: 8080}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: web, namespace: shop}
spec: {jobTemplate: {spec: {template: {metadata: {labels: {app: job}}, spec: {containers: []}}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np}
spec: {podSelector: {}}
---
apiVersion: v1
kind: Service
metadata: {name: s}
`;

test("load reads lists, several documents, templates and lines; what says nothing is counted", () => {
  const { cluster, sources, ignored, problems } = loadTexts([{ name: "all.yaml", text: yaml }]);
  assert.deepEqual(cluster.namespaces, [{ name: "shop", labels: { env: "prod" } }]);
  const [web, job] = cluster.pods;
  assert.deepEqual([web?.name, web?.kind, web?.labels, web?.hostNetwork], ["web", "Deployment", { app: "web" }, true]);
  assert.deepEqual(
    web?.ports?.map(({ containerPort, protocol }) => [containerPort, protocol]),
    [
      [8080, "TCP"],
      [2, "UDP"],
    ],
  );
  assert.deepEqual([job?.name, job?.labels], ["cronjob/web", { app: "job" }]);
  assert.deepEqual(sources, [`all.yaml:${yaml.split("\n").indexOf("kind: NetworkPolicy")}`]);
  assert.deepEqual([...ignored], [["Service", 1]]);
  assert.deepEqual(problems, []);
});

test("real pods stand for the workloads that made them", () => {
  const object = (kind: string, name: string, owner?: [string, string], more: object = {}): string =>
    JSON.stringify({
      apiVersion: "v1",
      kind,
      metadata: { name, namespace: "a", ...(owner ? { ownerReferences: [{ kind: owner[0], name: owner[1] }] } : {}) },
      spec: {},
      ...more,
    });
  const text = [
    object("Deployment", "web"),
    object("ReplicaSet", "web-1", ["Deployment", "web"]),
    object("Pod", "web-1-x", ["ReplicaSet", "web-1"], { status: { podIP: "10.0.0.1", phase: "Running" } }),
    object("Deployment", "idle"),
    object("ReplicaSet", "idle-1", ["Deployment", "idle"]),
    object("Pod", "done", undefined, { status: { podIP: "10.0.0.1", phase: "Succeeded" } }),
  ].join("\n---\n");
  const { cluster } = loadTexts([{ name: "all.json", text }]);
  assert.deepEqual(
    cluster.pods.map(({ name }) => name),
    ["web-1-x", "idle"],
  );
});

test("what is no Kubernetes object is refused with file and line; policies of others are named", () => {
  const load = (text: string) => () => loadTexts([{ name: "f.yaml", text }]);
  assert.throws(load("a: 1\n---\n\nb: [1\n"), /f\.yaml:\d: /);
  assert.throws(load("kind: Pod\nmetadata: {name: a}\n---\n- 1\n"), /f\.yaml:4: is no Kubernetes object/);
  assert.throws(load("kind: Pod\nmetadata: {}\n"), /f\.yaml:1: Pod without metadata.name/);
  assert.throws(load("kind: Pod\nmetadata: {name: a, labels: {v: 1}}\n"), /label "v" must be a string/);
  assert.throws(load(`kind: Pod\nmetadata: {name: a}\na: &a [1]\nb: [${"*a,".repeat(500)}]\n`), /f\.yaml:1: .*alias/i);
  const calico = "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: g}\n";
  assert.match(loadTexts([{ name: "f.yaml", text: calico }]).problems[0]?.reason ?? "", /not understood/);
});
