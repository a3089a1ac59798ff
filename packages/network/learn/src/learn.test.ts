import assert from "node:assert/strict";
import { test } from "node:test";
import { createAggregate, flowOf, type Edge, type End, type Flow, type Grain } from "@bulwark/flow";
import { createEvaluator, loadTexts } from "@bulwark/netpol";
import fc from "fast-check";
import { learn } from "./learn.ts";
import { replay } from "./replay.ts";
import { policiesText, writePolicies } from "./write.ts";

const time = Date.UTC(2026, 0, 5, 10);

function pod(namespace: string, name: string, pod: string, labels: Record<string, string> = {}): End {
  const workload = { namespace, name, kind: "Deployment", pod, labels, serviceAccount: null, node: null };
  return { workload, ip: null, name: null };
}
function outside(ip: string, name: string | null = null): End {
  return { workload: null, ip, name };
}
function flow(client: End, server: End, port: number, more: Partial<Flow> = {}): Flow {
  return flowOf({ client, server, port, protocol: "TCP", first: time, result: "established", ...more });
}
function edgesOf(flows: readonly Flow[]): Edge[] {
  const aggregate = createAggregate({ grain: "pod" });
  for (const one of flows) aggregate.add(one);
  return [...aggregate.edges()];
}

const web = pod("shop", "web", "web-1", { app: "web", tier: "front", "pod-template-hash": "1a2b3c" });
const api = pod("shop", "api", "api-1", { app: "api", tier: "back", "pod-template-hash": "9f8e7d" });
const store = pod("data", "store", "store-0", { app: "store", "statefulset.kubernetes.io/pod-name": "store-0" });

test("a policy reads as a person would have written it, with what was seen beside each rule", () => {
  const flows = [
    ...Array.from({ length: 12 }, (_, hour) =>
      flow(web, api, 8080, { first: time + hour * 3_600_000, process: "nginx" }),
    ),
    flow(api, outside("203.0.113.9", "api.example.com"), 443),
    flow(outside("198.51.100.7"), web, 80),
  ];
  const { candidates, notes } = learn(edgesOf(flows));
  assert.deepEqual(notes, []);
  assert.equal(
    policiesText(writePolicies(candidates)),
    `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: learned-api
  namespace: shop
  labels:
    app.kubernetes.io/managed-by: bulwark
spec:
  podSelector:
    matchLabels:
      app: api
  policyTypes:
    - Ingress
    - Egress
  ingress:
    # shop/web; high: 12 connections in 12 hours, 2026-01-05 10:00 to 2026-01-05 21:00 UTC, by nginx
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: shop
          podSelector:
            matchLabels:
              app: web
      ports:
        - protocol: TCP
          port: 8080
  egress:
    # outside (api.example.com); low: 1 connection in 1 hour, 2026-01-05 10:00 UTC
    - to:
        - ipBlock:
            cidr: 203.0.113.9/32
      ports:
        - protocol: TCP
          port: 443
    # the cluster's name server, seen or not
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchLabels:
              k8s-app: kube-dns
      ports:
        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: learned-web
  namespace: shop
  labels:
    app.kubernetes.io/managed-by: bulwark
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes:
    - Ingress
    - Egress
  ingress:
    # outside; low: 1 connection in 1 hour, 2026-01-05 10:00 UTC
    - from:
        - ipBlock:
            cidr: 198.51.100.7/32
      ports:
        - protocol: TCP
          port: 80
  egress:
    # shop/api; high: 12 connections in 12 hours, 2026-01-05 10:00 to 2026-01-05 21:00 UTC, by nginx
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: shop
          podSelector:
            matchLabels:
              app: api
      ports:
        - protocol: TCP
          port: 8080
    # the cluster's name server, seen or not
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchLabels:
              k8s-app: kube-dns
      ports:
        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
`,
  );
});

test("the fewest labels that catch nobody else; what a roll-out changes is no label to hold on to", () => {
  const one = pod("shop", "web-a", "web-a-1", { app: "web", track: "a", "pod-template-hash": "1" });
  const two = pod("shop", "web-b", "web-b-1", { app: "web", track: "b", "pod-template-hash": "2" });
  const { candidates } = learn(edgesOf([flow(one, api, 1), flow(two, api, 2)]));
  const selectors = candidates.map(({ subject }) => [subject.name, subject.selector]);
  assert.deepEqual(selectors, [
    ["api", { app: "api" }],
    ["web-a", { track: "a" }],
    ["web-b", { track: "b" }],
  ]);
});

test("labels of pods that never spoke count too", () => {
  const pods = [{ namespace: "shop", name: "admin", labels: { app: "web", role: "admin" } }];
  const { candidates } = learn(edgesOf([flow(web, api, 1)]), { pods });
  assert.deepEqual(candidates.find(({ subject }) => subject.name === "web")?.subject.selector, { tier: "front" });
});

test("pods of a workload in the flows are no others beside it, whatever they are called", () => {
  const pods = [
    { namespace: "shop", name: "web-5f6d7c8b9d-x2x4z", labels: { app: "web", "pod-template-hash": "5f6d7c8b9d" } },
    { namespace: "shop", name: "api-x2x4z", labels: { app: "api" }, workload: "api" },
    { namespace: "data", name: "store", kind: "StatefulSet", labels: { app: "store" } },
  ];
  const flows = [flow(web, api, 8080), flow(api, store, 5432)];
  assert.deepEqual(learn(edgesOf(flows), { pods }).notes, []);
  const other = { namespace: "shop", name: "debug", labels: { app: "api" } };
  assert.deepEqual(learn(edgesOf(flows), { pods: [...pods, other] }).notes, [
    "shop/api: other pods of the namespace have all of its labels, and are selected too",
  ]);
});

test("pods of a StatefulSet have policies of their own at the grain of pods", () => {
  const second = pod("data", "store", "store-1", { app: "store", "statefulset.kubernetes.io/pod-name": "store-1" });
  const flows = [flow(web, store, 5432), flow(second, store, 5433)];
  const names = (grain: Grain): unknown[] =>
    learn(edgesOf(flows), { grain }).candidates.map(({ subject }) => subject.selector);
  assert.deepEqual(names("workload"), [{ app: "store" }, { app: "web" }]);
  assert.deepEqual(names("pod"), [
    { "statefulset.kubernetes.io/pod-name": "store-0" },
    { "statefulset.kubernetes.io/pod-name": "store-1" },
    { app: "web" },
  ]);
  assert.deepEqual(names("namespace"), [{}, {}]);
});

test("what only tried is not learned: a scan opens nothing", () => {
  const learned = learn(edgesOf([flow(web, api, 8080), flow(web, store, 22, { result: "refused" })]));
  assert.equal(learned.skipped.get("attempts only: nothing was connected"), 1);
  assert.doesNotMatch(policiesText(writePolicies(learned.candidates)), /port: 22\b|store/);
});

test("peers outside by name, for Cilium; the names' answers stay reachable", () => {
  const flows = [flow(api, outside("203.0.113.9", "api.example.com"), 443), flow(api, outside("203.0.113.10"), 443)];
  const edges = edgesOf(flows);
  const written = writePolicies(learn(edges, { names: true }).candidates);
  const text = policiesText(written);
  assert.match(text, /kind: CiliumNetworkPolicy[\s\S]*matchName: api\.example\.com/);
  assert.match(text, /cidr: 203\.0\.113\.10\/32/);
  assert.doesNotMatch(text, /203\.0\.113\.9/);
  const result = replay(edges, { namespaces: [], pods: [], policies: written.map(({ object }) => object) });
  assert.deepEqual(result.denied, []);
  assert.equal(result.edges, 2);
});

test("hostile names neither reach the text nor end the run", () => {
  const evil = pod("shop", "x\n- {}", "x", { app: "a\nb" });
  const learned = learn(edgesOf([flow(evil, api, 1), flow(web, api, 2, { process: "evil\n    - {}\u001B[2J" })]));
  assert.equal(learned.skipped.get("a name that Kubernetes would not take"), 1);
  const text = policiesText(writePolicies(learned.candidates));
  const { cluster } = loadTexts([{ name: "learned.yaml", text }]);
  assert.equal(cluster.policies.length, 2);
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(text, /\u001B/);
});

test("a workload without labels gets no policy, and its peers are not cut off from it", () => {
  const bare = pod("shop", "bare", "bare");
  const edges = edgesOf([flow(bare, api, 8080)]);
  const learned = learn(edges);
  assert.match(learned.notes.join(), /shop\/bare: no label/);
  const policies = writePolicies(learned.candidates).map(({ object }) => object);
  assert.deepEqual(replay(edges, { namespaces: [], pods: [], policies }).denied, []);
});

/** Few values, so that workloads share labels, names and peers. */
const labels = fc.dictionary(fc.constantFrom("app", "tier", "pod-template-hash"), fc.constantFrom("a", "b", "c"));
const someEnd = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom("n1", "n2"), fc.constantFrom("w1", "w2", "w3"), fc.constantFrom("1", "2"), labels)
      .map(([namespace, name, number, labels]) => pod(namespace, name, `${name}-${number}`, labels)),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("203.0.113.1", "203.0.113.2", "2001:db8::1")
      .map((ip) => outside(ip, ip.endsWith("2") ? "two.example" : null)),
  },
);
const someFlow = fc
  .tuple(
    someEnd,
    someEnd,
    fc.constantFrom(80, 443, 5432),
    fc.constantFrom("TCP" as const, "UDP" as const),
    fc.constantFrom("established" as const, "unknown" as const, "refused" as const),
  )
  .map(([client, server, port, protocol, result]) => flow(client, server, port, { protocol, result }));

test("always: what was learned from flows denies none of them", () => {
  fc.assert(
    fc.property(
      fc.array(someFlow, { minLength: 1, maxLength: 12 }),
      fc.constantFrom<Grain>("namespace", "workload", "pod"),
      fc.boolean(),
      (flows, grain, names) => {
        const edges = edgesOf(flows);
        const policies = writePolicies(learn(edges, { grain, names }).candidates).map(({ object }) => object);
        const { denied } = replay(edges, { namespaces: [], pods: [], policies });
        assert.deepEqual(
          denied.map(({ edge, reason }) => [edge.client, edge.server, edge.port, reason]),
          [],
        );
      },
    ),
    { numRuns: 400 },
  );
});

test("always: what was learned denies every peer and port that was not seen", () => {
  const workloads = ["a", "b", "c", "d"].map((name) =>
    pod(name < "c" ? "n1" : "n2", name, `${name}-1`, { app: name, team: "x" }),
  );
  const addresses = ["203.0.113.1", "203.0.113.2"].map((ip) => outside(ip));
  const ends = [...workloads, ...addresses];
  const ports = [80, 443];
  const seen = fc.uniqueArray(fc.tuple(fc.nat(ends.length - 1), fc.nat(ends.length - 1), fc.constantFrom(...ports)), {
    minLength: 1,
    maxLength: 10,
    selector: (triple) => triple.join(),
  });
  fc.assert(
    fc.property(seen, fc.constantFrom<Grain>("workload", "pod"), (triples, grain) => {
      const flows = triples.map(([from, to, port]) => flow(ends[from] ?? web, ends[to] ?? web, port));
      const edges = edgesOf(flows);
      const learned = learn(edges, { grain });
      const subjects = new Set(learned.candidates.map(({ subject }) => subject.name));
      const policies = writePolicies(learned.candidates, { dns: false }).map(({ object }) => object);
      const evaluator = createEvaluator({
        namespaces: [{ name: "n1" }, { name: "n2" }],
        pods: workloads.map(({ workload }) => ({
          namespace: workload?.namespace ?? "",
          name: workload?.name ?? "",
          labels: workload?.labels ?? {},
        })),
        policies,
      });
      const known = new Set(triples.map((triple) => triple.join()));
      for (const [from, client] of ends.entries()) {
        for (const [to, server] of ends.entries()) {
          const guarded = [client, server].some(({ workload }) => subjects.has(workload?.name ?? ""));
          if (from === to || !guarded) continue;
          for (const port of [...ports, 9999]) {
            const name = ({ workload, ip }: End): string =>
              workload ? `${workload.namespace}/${workload.name}` : (ip ?? "");
            const { allowed } = evaluator.connection({ from: name(client), to: name(server), port });
            assert.equal(allowed, known.has([from, to, port].join()), `${name(client)} → ${name(server)} ${port}`);
          }
        }
      }
    }),
    { numRuns: 200 },
  );
});
