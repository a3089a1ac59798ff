import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { missing, suitesDir } from "@bulwark/testkit";
import fc from "fast-check";
import { runTruthTables } from "./conformance.ts";
import { connectivity } from "./connectivity.ts";
import { createEvaluator } from "./evaluator.ts";
import { protocols, type ContainerPort, type Protocol } from "./ports.ts";
import { allowed, type AnyPolicy, type AnyRule, type End, type World } from "./reference.suite.ts";

test("every cell of the public truth tables", { skip: missing("suites") }, (context) => {
  const { cases, cells, failed, failures } = runTruthTables(join(suitesDir(), "netpol/truth-tables.json.gz"));
  context.diagnostic(`${cases} cases, ${cells} cells, ${failed} failed`);
  assert.deepEqual(failures, []);
  assert.equal(failed, 0);
  assert.equal(cells, 123_669);
});

const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
/** Without keys whose value is undefined: an absent field, as it is written. */
function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}
const record = <T extends object = object>(shape: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<T> =>
  fc.record(shape).map((value) => compact(value) as T);

const label = oneOf("app", "tier");
const value = oneOf("a", "b", "c");
const labels = fc.dictionary(label, value, { maxKeys: 2 });
const expression = fc.oneof(
  fc.record({ key: label, operator: oneOf("In", "NotIn"), values: fc.array(value, { minLength: 1, maxLength: 2 }) }),
  fc.record({ key: label, operator: oneOf("Exists", "DoesNotExist") }),
);
const selector = record({
  matchLabels: maybe(labels),
  matchExpressions: maybe(fc.array(expression, { maxLength: 2 })),
});
const namespace = oneOf("x", "y", "z");
const namespaceSelector = fc.oneof(
  selector,
  namespace.map((name) => ({ matchLabels: { "kubernetes.io/metadata.name": name } })),
);
const protocol = oneOf<Protocol>(...protocols);
const port = oneOf(80, 81, 443, 8080);
const portName = oneOf("web", "admin", "dns");
const cidr = oneOf(
  "10.0.0.0/8",
  "10.0.0.0/30",
  "10.0.0.4/30",
  "192.0.2.0/24",
  "0.0.0.0/0",
  "fd00::/8",
  "fd00::1/128",
  "::/0",
);
const exceptOf: Record<string, string[]> = {
  "10.0.0.0/8": ["10.0.0.2/32", "10.0.0.4/31"],
  "0.0.0.0/0": ["10.0.0.0/29", "192.0.2.128/25"],
  "::/0": ["fd00::/127"],
};
const block = fc
  .tuple(cidr, fc.boolean())
  .map(([range, less]) => (less && exceptOf[range] ? { cidr: range, except: exceptOf[range] } : { cidr: range }));

const plainPort = fc.oneof(
  record({ protocol: maybe(protocol), port: maybe(port) }),
  record({ protocol: maybe(protocol), port: portName }),
  record({ protocol: maybe(protocol), port: oneOf<number | string>(80, 81), endPort: oneOf(81, 443, 9000) }),
);
const plainPeer = fc.oneof(
  record({ podSelector: selector }),
  record({ namespaceSelector }),
  record({ podSelector: selector, namespaceSelector }),
  record({ ipBlock: block }),
);
const plainRule = (side: "from" | "to"): fc.Arbitrary<AnyRule> =>
  record<AnyRule>({
    [side]: maybe(fc.array(plainPeer, { maxLength: 3 })),
    ports: maybe(fc.array(plainPort, { maxLength: 2 })),
  });
const rules = (of: fc.Arbitrary<AnyRule>): fc.Arbitrary<AnyRule[] | undefined> => maybe(fc.array(of, { maxLength: 3 }));

const networkPolicy = record<AnyPolicy["spec"]>({
  podSelector: selector,
  policyTypes: maybe(fc.uniqueArray(oneOf("Ingress", "Egress"), { minLength: 1, maxLength: 2 })),
  ingress: rules(plainRule("from")),
  egress: rules(plainRule("to")),
});

const namespacedPods = fc.record({ namespaceSelector, podSelector: selector });
const subject = fc.oneof(record({ namespaces: namespaceSelector }), record({ pods: namespacedPods }));
const adminPort = fc.oneof(
  fc.record({ portNumber: record({ protocol: maybe(protocol), port }) }),
  fc.record({ portRange: record({ protocol: maybe(protocol), start: oneOf(80, 81), end: oneOf(443, 9000) }) }),
  fc.record({ namedPort: portName }),
);
const protocolMatch = fc.oneof(
  fc
    .tuple(
      oneOf("tcp", "udp", "sctp"),
      fc.oneof(
        port.map((number) => ({ number })),
        oneOf({ range: { start: 80, end: 443 } }),
      ),
    )
    .map(([key, destinationPort]) => ({ [key]: { destinationPort } })),
  fc.record({ destinationNamedPort: portName }),
);
const podPeer = fc.oneof(record({ namespaces: namespaceSelector }), record({ pods: namespacedPods }));
const networks = fc.uniqueArray(cidr, { minLength: 1, maxLength: 2 }).map((list) => ({ networks: list }));

/** A named port may not stand beside networks, so a rule has either. */
function clusterRule(side: "from" | "to", actions: string[], portsField: "ports" | "protocols"): fc.Arbitrary<AnyRule> {
  const one: fc.Arbitrary<unknown> = portsField === "ports" ? adminPort : protocolMatch;
  const base = { action: oneOf(...actions), [portsField]: maybe(fc.array(one, { minLength: 1, maxLength: 2 })) };
  const pods = record<AnyRule>({ ...base, [side]: fc.array(podPeer, { minLength: 1, maxLength: 2 }) });
  if (side === "from") return pods;
  const world = record<AnyRule>({
    action: oneOf(...actions),
    to: fc.array(networks, { minLength: 1, maxLength: 2 }),
  });
  return fc.oneof(pods, world);
}
function clusterSpec(
  actions: string[],
  portsField: "ports" | "protocols",
  more: object,
): fc.Arbitrary<AnyPolicy["spec"]> {
  return record<AnyPolicy["spec"]>({
    subject,
    ingress: rules(clusterRule("from", actions, portsField)),
    egress: rules(clusterRule("to", actions, portsField)),
    ...more,
  });
}
const priority = fc.integer({ min: 0, max: 3 });

const endpoints = fc.oneof(
  selector,
  namespace.map((name) => ({ matchLabels: { "k8s:io.kubernetes.pod.namespace": name } })),
);
const ciliumPort = record({
  port: oneOf("80", "81", "0", "web", "dns"),
  protocol: maybe(oneOf("TCP", "UDP", "SCTP", "ANY")),
});
function ciliumRule(side: "from" | "to"): fc.Arbitrary<AnyRule> {
  const toPorts = maybe(
    fc.array(fc.record({ ports: fc.array(ciliumPort, { minLength: 1, maxLength: 2 }) }), { maxLength: 2 }),
  );
  return fc.oneof(
    record<AnyRule>({ toPorts, [`${side}Endpoints`]: maybe(fc.array(endpoints, { maxLength: 2 })) }),
    record<AnyRule>({
      toPorts,
      [`${side}Entities`]: fc.array(oneOf("all", "world", "cluster"), { maxLength: 2 }),
    }),
    record<AnyRule>({ toPorts, [`${side}CIDRSet`]: fc.array(block, { maxLength: 2 }) }),
  );
}
const ciliumSpec = record<AnyPolicy["spec"]>({
  endpointSelector: selector,
  enableDefaultDeny: maybe(record({ ingress: maybe(fc.boolean()), egress: maybe(fc.boolean()) })),
  ingress: rules(ciliumRule("from")),
  egress: rules(ciliumRule("to")),
  ingressDeny: rules(ciliumRule("from")),
  egressDeny: rules(ciliumRule("to")),
});

const policy: fc.Arbitrary<Omit<AnyPolicy, "metadata"> & { namespace?: string }> = fc.oneof(
  fc.record({
    apiVersion: fc.constant("networking.k8s.io/v1"),
    kind: fc.constant("NetworkPolicy"),
    namespace,
    spec: networkPolicy,
  }),
  fc.record({
    apiVersion: fc.constant("policy.networking.k8s.io/v1alpha1"),
    kind: fc.constant("AdminNetworkPolicy"),
    spec: clusterSpec(["Allow", "Deny", "Pass"], "ports", { priority }),
  }),
  fc.record({
    apiVersion: fc.constant("policy.networking.k8s.io/v1alpha2"),
    kind: fc.constant("ClusterNetworkPolicy"),
    spec: clusterSpec(["Accept", "Deny", "Pass"], "protocols", { priority, tier: oneOf("Admin", "Baseline") }),
  }),
  fc.record({
    apiVersion: fc.constant("cilium.io/v2"),
    kind: fc.constant("CiliumNetworkPolicy"),
    namespace,
    spec: ciliumSpec,
  }),
  fc.record({
    apiVersion: fc.constant("cilium.io/v2"),
    kind: fc.constant("CiliumClusterwideNetworkPolicy"),
    spec: ciliumSpec,
  }),
);
const baseline = maybe(clusterSpec(["Allow", "Deny"], "ports", {}));

const containerPort = record<ContainerPort>({ name: maybe(portName), containerPort: port, protocol: maybe(protocol) });
const pods = fc
  .array(
    fc.record({
      namespace,
      labels,
      ports: fc.array(containerPort, { maxLength: 3 }),
      hostNetwork: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      dual: fc.boolean(),
    }),
    { minLength: 2, maxLength: 7 },
  )
  .map((list) =>
    list.map(({ dual, ...pod }, index) => ({
      ...pod,
      name: `p${index}`,
      ips: dual ? [`10.0.0.${index}`, `fd00::${index}`] : [`10.0.0.${index}`],
    })),
  );

const world: fc.Arbitrary<World> = fc
  .record({
    namespaces: fc.record({ x: labels, y: labels, z: labels }),
    pods,
    policies: fc.array(policy, { maxLength: 6 }),
    baseline,
  })
  .map(({ namespaces, pods, policies, baseline }) => ({
    namespaces: Object.entries(namespaces).map(([name, labels]) => ({ name, labels })),
    pods,
    policies: [
      ...policies.map(({ namespace, ...object }, index) => ({
        ...object,
        metadata: compact({ name: `policy-${index}`, namespace }) as AnyPolicy["metadata"],
      })),
      ...(baseline
        ? [
            {
              apiVersion: "policy.networking.k8s.io/v1alpha1",
              kind: "BaselineAdminNetworkPolicy",
              metadata: { name: "default" },
              spec: baseline,
            },
          ]
        : []),
    ],
  }));

const outsiders: End[] = ["192.0.2.7", "192.0.2.200", "203.0.113.9", "fd00::beef", "2001:db8::1"].map((ip) => ({ ip }));
const askedPorts = [80, 81, 443, 8080, 22];
const nameOf = (end: End): string => ("ip" in end ? end.ip : `${end.pod.namespace}/${end.pod.name}`);

function* questions({ pods }: World): Generator<{ from: End; to: End; port: number; protocol: Protocol }> {
  const ends: End[] = [...pods.map((pod) => ({ pod })), ...outsiders];
  for (const from of ends) {
    for (const to of ends) {
      if ("ip" in from && "ip" in to) continue;
      for (const port of askedPorts) for (const protocol of protocols) yield { from, to, port, protocol };
    }
  }
}

test("the compiled evaluator says what the plain reference says, on random clusters with every kind of policy", () => {
  let asked = 0;
  let denied = 0;
  fc.assert(
    fc.property(world, fc.boolean(), (cluster, ipBlockMatchesPods) => {
      const evaluator = createEvaluator(cluster, { ipBlockMatchesPods });
      for (const query of questions(cluster)) {
        const { from, to, port, protocol } = query;
        const expected = allowed(cluster, query, ipBlockMatchesPods);
        const verdict = evaluator.connection({ from: nameOf(from), to: nameOf(to), port, protocol });
        asked++;
        if (!verdict.allowed) denied++;
        assert.deepEqual(
          { ingress: verdict.ingress.allowed, egress: verdict.egress.allowed },
          expected,
          `${nameOf(from)} to ${nameOf(to)} ${protocol} ${port}`,
        );
      }
    }),
    { numRuns: 150 },
  );
  // A generator that only ever allows, or only ever denies, would prove nothing.
  assert.ok(denied > asked / 20 && denied < (asked * 19) / 20, `${denied} of ${asked} denied`);
});

test("the whole table says of every connection what the single question says", () => {
  fc.assert(
    fc.property(world, (cluster) => {
      const evaluator = createEvaluator(cluster);
      const { tables } = evaluator;
      const found = connectivity(evaluator);
      const classOf = (end: End): number => {
        const pod = "pod" in end ? cluster.pods.indexOf(end.pod) : -1;
        if (pod >= 0) return tables.classOf[pod] ?? -1;
        return found.classes.findIndex(({ addresses }) => addresses.length > 0 && inClass(end, addresses));
      };
      for (const { from, to, port, protocol } of questions(cluster)) {
        const set = found.sets[found.open(classOf(from), classOf(to))] ?? [];
        const open = set.some((range) => range.protocol === protocol && port >= range.first && port <= range.last);
        const { allowed } = evaluator.connection({ from: nameOf(from), to: nameOf(to), port, protocol });
        assert.equal(open, allowed, `${nameOf(from)} to ${nameOf(to)} ${protocol} ${port}`);
      }
      function inClass(end: End, ranges: readonly { family: 4 | 6; first: bigint; last: bigint }[]): boolean {
        const value = addressNumber("ip" in end ? end.ip : "");
        return ranges.some(({ family, first, last }) => family === value.family && value.n >= first && value.n <= last);
      }
    }),
    { numRuns: 60 },
  );
});

/** Only for the addresses of this test: written in full or with one `::`. */
function addressNumber(ip: string): { family: 4 | 6; n: bigint } {
  if (!ip.includes(":")) return { family: 4, n: ip.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  const [head = "", tail = ""] = ip.split("::");
  const words = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const middle = Array.from({ length: 8 - words(head).length - words(tail).length }, () => "0");
  return {
    family: 6,
    n: BigInt(`0x${[...words(head), ...middle, ...words(tail)].map((w) => w.padStart(4, "0")).join("")}`),
  };
}

test("one more rule in a NetworkPolicy never closes anything for a pod that is isolated already", () => {
  const withRule = fc.tuple(world, fc.nat(), plainRule("from"), plainRule("to")).map(([cluster, at, from, to]) => {
    const plain = cluster.policies.filter(({ kind }) => kind === "NetworkPolicy");
    return { cluster, target: plain[at % Math.max(1, plain.length)], from, to };
  });
  fc.assert(
    fc.property(withRule, ({ cluster, target, from, to }) => {
      if (!target) return;
      const { spec } = target;
      const types = spec.policyTypes ?? ["Ingress", ...((spec.egress ?? []).length > 0 ? ["Egress"] : [])];
      const more = {
        ...target,
        spec: {
          ...spec,
          policyTypes: types,
          ingress: [...(spec.ingress ?? []), from],
          egress: [...(spec.egress ?? []), to],
        },
      };
      const before = createEvaluator(cluster);
      const after = createEvaluator({
        ...cluster,
        policies: cluster.policies.map((one) => (one === target ? more : one)),
      });
      for (const query of questions(cluster)) {
        const asked = { ...query, from: nameOf(query.from), to: nameOf(query.to) };
        if (before.connection(asked).allowed) assert.ok(after.connection(asked).allowed, JSON.stringify(asked));
      }
    }),
    { numRuns: 60 },
  );
});
