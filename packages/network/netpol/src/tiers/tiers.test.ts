import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClusterNode, Pod } from "../cluster.ts";
import fc from "fast-check";
import { NetpolError } from "../error.ts";
import { createEvaluator, type Evaluator, type EvaluatorOptions } from "../evaluator.ts";
import type { Protocol } from "../ports.ts";

const namespaces = [
  { name: "shop", labels: { env: "prod" } },
  { name: "test", labels: { env: "test" } },
];
const pods: Pod[] = [
  {
    namespace: "shop",
    name: "web",
    labels: { app: "web" },
    ips: ["10.0.0.1", "fd00::1"],
    ports: [
      { name: "http", containerPort: 8080 },
      { name: "dns", containerPort: 53, protocol: "UDP" },
      { name: "dns", containerPort: 5353, protocol: "TCP" },
    ],
  },
  {
    namespace: "shop",
    name: "db",
    labels: { app: "db" },
    ips: ["10.0.0.2"],
    ports: [{ name: "http", containerPort: 80 }],
  },
  { namespace: "test", name: "web", labels: { app: "web" }, ips: ["10.0.1.1"] },
  { namespace: "shop", name: "agent", labels: { app: "agent" }, ips: ["172.16.0.1"], hostNetwork: true },
];
const nodes: ClusterNode[] = [{ name: "n1", labels: { zone: "a" }, ips: ["172.16.0.1"] }];

const evaluator = (policies: unknown[], options: EvaluatorOptions = {}): Evaluator =>
  createEvaluator({ namespaces, pods, nodes, policies }, options);

/** Of `a b 80`, `a b 80 UDP`: whether each is allowed. */
function check(policies: unknown[], expected: Record<string, boolean>, options: EvaluatorOptions = {}): void {
  const { connection } = evaluator(policies, options);
  for (const [text, allowed] of Object.entries(expected)) {
    const [from = "", to = "", port = "80", protocol = "TCP"] = text.split(" ");
    assert.equal(connection({ from, to, port: Number(port), protocol: protocol as Protocol }).allowed, allowed, text);
  }
}

function networkPolicy(spec: object, name = "np", namespace = "shop"): object {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec };
}
function admin(priority: number, spec: object, name = `anp-${priority}`): object {
  const all = { priority, subject: { namespaces: {} }, ...spec };
  return { apiVersion: "policy.networking.k8s.io/v1alpha1", kind: "AdminNetworkPolicy", metadata: { name }, spec: all };
}
function baseline(spec: object, name = "default"): object {
  const all = { subject: { namespaces: {} }, ...spec };
  return {
    apiVersion: "policy.networking.k8s.io/v1alpha1",
    kind: "BaselineAdminNetworkPolicy",
    metadata: { name },
    spec: all,
  };
}
function cluster(tier: string, priority: number, spec: object, name = `cnp-${tier.toLowerCase()}-${priority}`): object {
  const all = { tier, priority, subject: { namespaces: {} }, ...spec };
  return {
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name },
    spec: all,
  };
}
function cilium(spec: object, namespace: string | null = "shop", name = "cnp"): object {
  const kind = namespace === null ? "CiliumClusterwideNetworkPolicy" : "CiliumNetworkPolicy";
  return { apiVersion: "cilium.io/v2", kind, metadata: namespace === null ? { name } : { name, namespace }, spec };
}
const anyone = [{ namespaces: {} }];

describe("NetworkPolicy", () => {
  const db = { podSelector: { matchLabels: { app: "db" } } };

  test("without policyTypes, egress is closed only when there is a rule for it", () => {
    check([networkPolicy({ ...db, egress: [] })], { "shop/db shop/web": true, "shop/web shop/db": false });
    check([networkPolicy({ ...db, egress: [{ ports: [{ port: 443 }] }] })], {
      "shop/db shop/web 80": false,
      "shop/db shop/web 443": true,
      "shop/web shop/db": false,
    });
  });

  test("two selectors in one item are both needed; in two items one is enough", () => {
    const namespaceSelector = { matchLabels: { env: "test" } };
    const podSelector = { matchLabels: { app: "web" } };
    check([networkPolicy({ ...db, ingress: [{ from: [{ namespaceSelector, podSelector }] }] })], {
      "test/web shop/db": true,
      "shop/web shop/db": false,
    });
    check([networkPolicy({ ...db, ingress: [{ from: [{ namespaceSelector }, { podSelector }] }] })], {
      "test/web shop/db": true,
      "shop/web shop/db": true,
    });
  });

  test("a named port is the destination's, of the rule's protocol", () => {
    const web = { podSelector: { matchLabels: { app: "web" } } };
    const ingress = [{ ports: [{ port: "dns", protocol: "UDP" }, { port: "http" }] }];
    check([networkPolicy({ ...web, ingress })], {
      "shop/db shop/web 53 UDP": true,
      "shop/db shop/web 53 TCP": false,
      "shop/db shop/web 5353 TCP": false,
      "shop/db shop/web 8080": true,
    });
    const egress = [{ ports: [{ port: "http" }] }];
    check([networkPolicy({ podSelector: {}, policyTypes: ["Egress"], egress })], {
      "shop/web shop/db 80": true,
      "shop/web shop/db 8080": false,
      "shop/db shop/web 8080": true,
      "shop/db 192.0.2.1 8080": false,
    });
  });

  test("ranges, SCTP, and all ports of one protocol", () => {
    const ingress = [{ ports: [{ protocol: "SCTP", port: 100, endPort: 200 }, { protocol: "UDP" }] }];
    check([networkPolicy({ ...db, ingress })], {
      "shop/web shop/db 100 SCTP": true,
      "shop/web shop/db 200 SCTP": true,
      "shop/web shop/db 201 SCTP": false,
      "shop/web shop/db 150 TCP": false,
      "shop/web shop/db 65535 UDP": true,
    });
  });

  test("an ipBlock less its exceptions, for IPv4 and IPv6, for pods as the option says", () => {
    const ingress = [
      { from: [{ ipBlock: { cidr: "10.0.0.0/16", except: ["10.0.1.0/24"] } }, { ipBlock: { cidr: "2001:db8::/32" } }] },
    ];
    const policies = [networkPolicy({ ...db, ingress })];
    const outside = {
      "10.0.7.7 shop/db": true,
      "10.0.1.9 shop/db": false,
      "2001:db8:ffff::1 shop/db": true,
      "2001:db9::1 shop/db": false,
      "::ffff:10.0.7.7 shop/db": true,
    };
    check(policies, { ...outside, "shop/web shop/db": true, "test/web shop/db": false });
    check(policies, { ...outside, "shop/web shop/db": false }, { ipBlockMatchesPods: false });
  });

  test("a pod on the network of its node is no subject and no peer but by its address", () => {
    check([networkPolicy({ podSelector: {}, policyTypes: ["Ingress"] })], {
      "shop/db shop/agent": true,
      "shop/agent shop/db": false,
    });
    check([networkPolicy({ ...db, ingress: [{ from: [{ podSelector: {} }] }] })], { "shop/agent shop/db": false });
    const node = [{ from: [{ ipBlock: { cidr: "172.16.0.0/16" } }] }];
    check([networkPolicy({ ...db, ingress: node })], { "shop/agent shop/db": true }, { ipBlockMatchesPods: false });
  });

  test("the address of a pod is the pod", () => {
    const ingress = [{ from: [{ podSelector: { matchLabels: { app: "web" } } }] }];
    check([networkPolicy({ ...db, ingress })], {
      "10.0.0.1 10.0.0.2": true,
      "fd00:0::1 10.0.0.2": true,
      "10.0.1.1 10.0.0.2": false,
    });
  });

  test("namespaces carry their name as a label, whatever was written", () => {
    const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": "test" } };
    check([networkPolicy({ ...db, ingress: [{ from: [{ namespaceSelector }] }] })], {
      "test/web shop/db": true,
      "shop/web shop/db": false,
    });
  });
});

describe("the tiers Admin and Baseline", () => {
  const closed = networkPolicy({ podSelector: {}, policyTypes: ["Ingress"] });
  const open = networkPolicy({ podSelector: {}, ingress: [{}] }, "open");

  test("Admin decides before NetworkPolicy, the lower priority first, and the other direction still counts", () => {
    const allow = admin(5, { ingress: [{ action: "Allow", from: anyone }] });
    const deny = admin(4, { ingress: [{ action: "Deny", from: anyone, ports: [{ portNumber: { port: 81 } }] }] });
    check([closed, allow, deny], { "test/web shop/db 80": true, "test/web shop/db 81": false });
    const noEgress = networkPolicy({ podSelector: {}, policyTypes: ["Egress"] }, "no-egress", "test");
    check([allow, noEgress], { "test/web shop/db 80": false });
  });

  test("Pass leaves the rest of the tier out and goes on to NetworkPolicy, then to Baseline", () => {
    const pass = admin(1, { ingress: [{ action: "Pass", from: anyone }] });
    const deny = admin(2, { ingress: [{ action: "Deny", from: anyone }] });
    const last = baseline({
      ingress: [{ action: "Deny", from: anyone, ports: [{ portRange: { start: 80, end: 90 } }] }],
    });
    check([pass, deny], { "test/web shop/db": true });
    check([pass, deny, closed], { "test/web shop/db": false });
    check([pass, deny, last], { "test/web shop/db 85": false, "test/web shop/db 91": true });
    check([pass, last, open], { "test/web shop/db 85": true, "shop/db test/web 85": false });
  });

  test("ClusterNetworkPolicy: tiers, protocols, named ports; networks match pods too", () => {
    const accept = {
      action: "Accept",
      from: anyone,
      protocols: [{ udp: { destinationPort: { range: { start: 50, end: 60 } } } }],
    };
    const named = { action: "Accept", from: anyone, protocols: [{ destinationNamedPort: "dns" }] };
    const policies = [cluster("Baseline", 0, { ingress: [accept, named, { action: "Deny", from: anyone }] })];
    check(policies, {
      "shop/db shop/web 55 UDP": true,
      "shop/db shop/web 5353 TCP": true,
      "shop/db shop/web 80": false,
      "192.0.2.1 shop/web 80": true,
    });
    const world = cluster("Admin", 0, { egress: [{ action: "Deny", to: [{ networks: ["0.0.0.0/0"] }] }] });
    check([world], { "shop/web shop/db": false, "shop/web 2001:db8::1": true, "192.0.2.1 shop/web": true });
  });

  test("a Baseline of ClusterNetworkPolicy stands before the BaselineAdminNetworkPolicy", () => {
    const first = cluster("Baseline", 1000, { ingress: [{ action: "Accept", from: anyone }] });
    check([baseline({ ingress: [{ action: "Deny", from: anyone }] }), first], { "shop/web shop/db": true });
  });

  test("nodes and domain names are matched by what is known of their addresses", () => {
    const to = [{ nodes: { matchLabels: { zone: "a" } } }];
    check([admin(0, { egress: [{ action: "Deny", to }] })], {
      "shop/web 172.16.0.1": false,
      "shop/web shop/agent": false,
      "shop/web 172.16.0.2": true,
    });
    const names = admin(0, {
      egress: [
        { action: "Allow", to: [{ domainNames: ["example.com"] }] },
        { action: "Deny", to: [{ networks: ["0.0.0.0/0"] }] },
      ],
    });
    check(
      [names],
      { "shop/web 192.0.2.7": true, "shop/web 192.0.2.8": false },
      { domains: { "example.com": ["192.0.2.7"] } },
    );
    check([names], { "shop/web 192.0.2.7": false });
  });

  test("a peer that is not known fails closed, and is told of", () => {
    const from = [{ namespaces: {} }, { serviceAccounts: {} }];
    check([cluster("Admin", 0, { ingress: [{ action: "Accept", from }] }), closed], { "test/web shop/db": false });
    check([cluster("Admin", 0, { ingress: [{ action: "Pass", from }] })], {
      "test/web shop/db": false,
      "192.0.2.1 shop/db": false,
    });
    const { problems } = evaluator([cluster("Admin", 0, { ingress: [{ action: "Deny", from: [{}] }] })]);
    assert.deepEqual(
      problems.map(({ severity, path }) => [severity, path]),
      [["warning", "spec.ingress[0].from[0]"]],
    );
  });
});

describe("CiliumNetworkPolicy", () => {
  const db = { endpointSelector: { matchLabels: { app: "db" } } };

  test("a denial beats what allows, in whatever policy", () => {
    const deny = cilium({ ...db, ingressDeny: [{ fromEndpoints: [{ matchLabels: { app: "web" } }] }] });
    const allow = networkPolicy({ podSelector: {}, ingress: [{}] });
    check([deny, allow], { "shop/web shop/db": false, "192.0.2.1 shop/db": true, "test/web shop/db": true });
  });

  test("an empty rule closes, a list that is there and empty matches nothing, and only ports mean everybody", () => {
    check([cilium({ ...db, ingress: [{}] })], { "shop/web shop/db": false, "192.0.2.1 shop/db": false });
    check([cilium({ ...db, ingress: [{ fromEndpoints: [], toPorts: [{ ports: [{ port: "80" }] }] }] })], {
      "shop/web shop/db": false,
    });
    check([cilium({ ...db, ingress: [{ toPorts: [{ ports: [{ port: "80", protocol: "TCP" }] }] }] })], {
      "192.0.2.1 shop/db 80": true,
      "192.0.2.1 shop/db 81": false,
      "192.0.2.1 shop/db 80 UDP": false,
    });
    check([cilium({ ...db, ingress: [], egress: [{ toEntities: ["all"] }] })], { "shop/web shop/db": true });
  });

  test("enableDefaultDeny: false leaves open what no rule denies", () => {
    const spec = { ...db, enableDefaultDeny: { ingress: false }, ingressDeny: [{ fromEntities: ["world"] }] };
    check([cilium(spec)], { "shop/web shop/db": true, "192.0.2.1 shop/db": false });
  });

  test("endpoints are of the policy's namespace unless they say which; clusterwide, of all", () => {
    const fromEndpoints = [{}];
    check([cilium({ ...db, ingress: [{ fromEndpoints }] })], {
      "shop/web shop/db": true,
      "test/web shop/db": false,
      "192.0.2.1 shop/db": false,
    });
    check([cilium({ ...db, ingress: [{ fromEndpoints }] }, null)], {
      "test/web shop/db": true,
      "192.0.2.1 shop/db": false,
    });
    const elsewhere = [{ matchLabels: { "k8s:io.kubernetes.pod.namespace": "test" } }];
    check([cilium({ ...db, ingress: [{ fromEndpoints: elsewhere }] })], {
      "test/web shop/db": true,
      "shop/web shop/db": false,
    });
    const byLabel = [{ matchLabels: { "k8s:io.cilium.k8s.namespace.labels.env": "test" } }];
    check([cilium({ ...db, ingress: [{ fromEndpoints: byLabel }] })], {
      "test/web shop/db": true,
      "shop/web shop/db": false,
    });
  });

  test("CIDRs match neither pods nor nodes; entities say which", () => {
    check([cilium({ ...db, ingress: [{ fromCIDR: ["10.0.0.0/8", "172.16.0.0/12"] }] })], {
      "10.9.9.9 shop/db": true,
      "shop/web shop/db": false,
      "172.16.0.1 shop/db": false,
      "172.16.0.2 shop/db": true,
    });
    check([cilium({ ...db, ingress: [{ fromEntities: ["host"] }] })], {
      "172.16.0.1 shop/db": true,
      "shop/agent shop/db": true,
      "shop/web shop/db": false,
    });
    check([cilium({ ...db, ingress: [{ fromEntities: ["cluster"] }] })], {
      "shop/web shop/db": true,
      "172.16.0.1 shop/db": true,
      "192.0.2.1 shop/db": false,
    });
    const api = [cilium({ ...db, egress: [{ toEntities: ["kube-apiserver"] }] })];
    check(
      api,
      { "shop/db 10.96.0.1": true, "shop/db 10.96.0.2": false },
      { entities: { "kube-apiserver": ["10.96.0.1"] } },
    );
  });

  test("rules for HTTP show as allowed on their port, and say that they were not looked at", () => {
    const toPorts = [{ ports: [{ port: "80", protocol: "TCP" }], rules: { http: [{ method: "GET" }] } }];
    const { connection, problems } = evaluator([cilium({ ...db, ingress: [{ toPorts }] })]);
    assert.equal(connection({ from: "shop/web", to: "shop/db", port: 80 }).ingress.layer7, true);
    assert.match(problems[0]?.reason ?? "", /not looked at/);
  });
});

test("every verdict names policy, rule and peer, from objects made once", () => {
  const ingress = [
    { ports: [{ port: 1 }] },
    { from: [{ podSelector: { matchLabels: { app: "x" } } }, { podSelector: {} }] },
  ];
  const { connection } = evaluator([networkPolicy({ podSelector: { matchLabels: { app: "db" } }, ingress })]);
  const ask = () => connection({ from: "shop/web", to: "shop/db", port: 80 });
  const { ingress: decision, egress } = ask();
  assert.equal(decision.path, "spec.ingress[1]");
  assert.equal(decision.peerPath, "spec.ingress[1].from[1]");
  assert.deepEqual([decision.rule, decision.peer, decision.policy?.name], [1, 1, "np"]);
  assert.equal(egress.reason, "open");
  assert.equal(ask().ingress, decision, "the same object again");
  assert.ok(Object.isFrozen(decision));
  const denied = connection({ from: "test/web", to: "shop/db", port: 80 }).ingress;
  assert.deepEqual([denied.reason, denied.isolatedBy.map(({ name }) => name)], ["isolated", ["np"]]);
});

const db = { podSelector: {} };
const wrong: [what: string, object: unknown, path: string, reason: RegExp][] = [
  ["a typing error in a field", networkPolicy({ ...db, ingres: [] }), "spec.ingres", /no such field/],
  [
    "a peer that names nobody",
    networkPolicy({ ...db, ingress: [{ from: [{}] }] }),
    "spec.ingress[0].from[0]",
    /needs one of/,
  ],
  [
    "an ipBlock beside a selector",
    networkPolicy({ ...db, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }] }] }),
    "spec.ingress[0].from[0]",
    /cannot stand beside/,
  ],
  [
    "a CIDR without a prefix",
    networkPolicy({ ...db, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.1" } }] }] }),
    "spec.ingress[0].from[0].ipBlock.cidr",
    /no CIDR/,
  ],
  [
    "an exception outside of its block",
    networkPolicy({ ...db, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/9"] } }] }] }),
    "spec.ingress[0].from[0].ipBlock.except[0]",
    /must be a part/,
  ],
  [
    "a number in quotes",
    networkPolicy({ ...db, ingress: [{ ports: [{ port: "80" }] }] }),
    "spec.ingress[0].ports[0].port",
    /takes no quotes/,
  ],
  [
    "a port beyond the last",
    networkPolicy({ ...db, ingress: [{ ports: [{ port: 65_536 }] }] }),
    "spec.ingress[0].ports[0].port",
    /1 to 65535/,
  ],
  [
    "a range that runs backwards",
    networkPolicy({ ...db, ingress: [{ ports: [{ port: 90, endPort: 80 }] }] }),
    "spec.ingress[0].ports[0].endPort",
    /must not be less/,
  ],
  [
    "a range that starts at a name",
    networkPolicy({ ...db, ingress: [{ ports: [{ port: "http", endPort: 80 }] }] }),
    "spec.ingress[0].ports[0].endPort",
    /beside a port that is a name/,
  ],
  [
    "an unknown protocol",
    networkPolicy({ ...db, ingress: [{ ports: [{ protocol: "tcp" }] }] }),
    "spec.ingress[0].ports[0].protocol",
    /TCP, UDP, SCTP/,
  ],
  [
    "In without values",
    networkPolicy({ podSelector: { matchExpressions: [{ key: "a", operator: "In" }] } }),
    "spec.podSelector.matchExpressions[0]",
    /at least one value/,
  ],
  [
    "a label that is a number",
    networkPolicy({ podSelector: { matchLabels: { version: 2 } } }),
    'spec.podSelector.matchLabels["version"]',
    /quotes/,
  ],
  ["rules that are no list", networkPolicy({ ...db, ingress: {} }), "spec.ingress", /must be a list/],
  [
    "an unknown policyType",
    networkPolicy({ ...db, policyTypes: ["ingress"] }),
    "spec.policyTypes[0]",
    /Ingress, Egress/,
  ],
  ["no spec", { kind: "NetworkPolicy", metadata: { name: "a" } }, "spec", /missing/],
  ["an old version", { ...networkPolicy(db), apiVersion: "extensions/v1beta1" }, "apiVersion", /networking.k8s.io\/v1/],
  ["a priority beyond the last", admin(1001, {}), "spec.priority", /0 to 1000/],
  [
    "an action of the other API",
    admin(1, { ingress: [{ action: "Accept", from: anyone }] }),
    "spec.ingress[0].action",
    /Allow, Deny, Pass/,
  ],
  ["a rule without peers", admin(1, { ingress: [{ action: "Deny", from: [] }] }), "spec.ingress[0]", /at least one/],
  ["a baseline of another name", baseline({}, "mine"), "metadata.name", /"default"/],
  [
    "more rules than the API takes",
    cluster("Admin", 1, { ingress: Array.from({ length: 26 }, () => ({ action: "Deny", from: anyone })) }),
    "spec.ingress",
    /at most 25/,
  ],
  [
    "a named port towards networks",
    cluster("Admin", 1, {
      egress: [{ action: "Deny", to: [{ networks: ["0.0.0.0/0"] }], protocols: [{ destinationNamedPort: "http" }] }],
    }),
    "spec.egress[0]",
    /named port/,
  ],
  [
    "domain names in a denial",
    cluster("Admin", 1, { egress: [{ action: "Deny", to: [{ domainNames: ["a.example"] }] }] }),
    "spec.egress[0].to[0].domainNames",
    /only for rules that accept/,
  ],
  [
    "two kinds of peers in one rule of Cilium",
    cilium({ endpointSelector: {}, ingress: [{ fromEndpoints: [{}], fromEntities: ["all"] }] }),
    "spec.ingress[0]",
    /cannot combine/,
  ],
  [
    "an entity that is not known",
    cilium({ endpointSelector: {}, ingress: [{ fromEntities: ["everyone"] }] }),
    "spec.ingress[0].fromEntities[0]",
    /must be one of/,
  ],
  [
    "a number where Cilium wants a string",
    cilium({ endpointSelector: {}, ingress: [{ toPorts: [{ ports: [{ port: 80 }] }] }] }),
    "spec.ingress[0].toPorts[0].ports[0].port",
    /must be a string/,
  ],
  ["no subject for Cilium", cilium({ ingress: [{}] }), "spec", /endpointSelector/],
  [
    "a list that is too long",
    networkPolicy({ ...db, ingress: Array.from({ length: 10_001 }, () => ({})) }),
    "spec.ingress",
    /at most 10000/,
  ],
  ["no object at all", 42, "metadata.name", /missing/],
  ["another kind", { kind: "constructor", metadata: { name: "a" }, spec: {} }, "kind", /is none of/],
];
for (const [what, object, path, reason] of wrong) {
  test(`refused with object, path and reason: ${what}`, () => {
    assert.throws(
      () => evaluator([object]),
      (error: unknown) => {
        assert.ok(error instanceof NetpolError);
        assert.equal(error.code, "invalid");
        const found = error.problems.find((problem) => problem.path === path);
        assert.ok(found, `problems at ${error.problems.map((problem) => problem.path).join(", ")}`);
        assert.match(found.reason, reason);
        return true;
      },
    );
    const { problems, connection } = evaluator([object], { onProblem: "skip" });
    assert.ok(problems.some(({ severity }) => severity === "error"));
    assert.equal(connection({ from: "shop/web", to: "shop/db", port: 80 }).allowed, true, "it is not in force");
  });
}

test("two policies of one name, an address that is none, an end that is unknown: named, never guessed", () => {
  assert.throws(() => evaluator([networkPolicy({}), networkPolicy({})]), /np: metadata.name: is there twice/);
  const bad = [{ namespace: "shop", name: "a", ips: ["10.0.0"] }];
  assert.throws(
    () => createEvaluator({ namespaces, pods: bad, policies: [] }),
    /Pod shop\/a: ips: "10.0.0" is no IP address/,
  );
  const { connection } = evaluator([]);
  assert.throws(() => connection({ from: "shop/nobody", to: "shop/db", port: 80 }), { code: "unknown-endpoint" });
  assert.throws(() => connection({ from: "shop/web", to: "shop/db", port: 70_000 }), { code: "bad-query" });
});

test("whatever is written in a policy, it is taken, refused or warned of, and nothing breaks", () => {
  const words = [
    "spec",
    "subject",
    "namespaces",
    "pods",
    "podSelector",
    "matchLabels",
    "matchExpressions",
    "key",
    "operator",
  ];
  const more = [
    "ingress",
    "egress",
    "ingressDeny",
    "from",
    "to",
    "ports",
    "port",
    "endPort",
    "protocol",
    "protocols",
    "tcp",
  ];
  const last = [
    "action",
    "priority",
    "tier",
    "fromEndpoints",
    "toEntities",
    "toPorts",
    "endpointSelector",
    "ipBlock",
    "cidr",
    "except",
    "specs",
  ];
  const key = fc.constantFrom(...words, ...more, ...last, "__proto__", "constructor");
  const leaf = fc.constantFrom(
    null,
    0,
    80,
    99_999,
    "",
    "TCP",
    "In",
    "Deny",
    "Allow",
    "Admin",
    "10.0.0.0/8",
    "::/0",
    "all",
    "80",
    true,
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4 }),
    ),
  }));
  const kind = fc.constantFrom(
    ["networking.k8s.io/v1", "NetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"],
    ["cilium.io/v2", "CiliumNetworkPolicy"],
    ["cilium.io/v2", "CiliumClusterwideNetworkPolicy"],
  );
  fc.assert(
    fc.property(kind, fc.dictionary(key, value, { maxKeys: 6 }), ([apiVersion, kind], spec) => {
      const object = { apiVersion, kind, metadata: { name: "default" }, spec };
      const { connection } = evaluator([object], { onProblem: "skip" });
      assert.equal(typeof connection({ from: "shop/web", to: "shop/db", port: 80 }).allowed, "boolean");
    }),
    { numRuns: 2000 },
  );
});
