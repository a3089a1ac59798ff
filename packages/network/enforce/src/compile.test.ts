import assert from "node:assert/strict";
import { test } from "node:test";
import { createEvaluator, type Pod } from "@bulwark/netpol";
import type { NetworkTable } from "@bulwark/sensor";
import { compileTable, type Placement } from "./index.ts";

const pods: Pod[] = [
  { namespace: "shop", name: "web", labels: { app: "web" }, ips: ["10.0.0.1", "fd00::1"] },
  {
    namespace: "shop",
    name: "db",
    labels: { app: "db" },
    ips: ["10.0.0.2"],
    ports: [{ name: "sql", containerPort: 5432 }],
  },
  { namespace: "shop", name: "agent", labels: { app: "web" }, ips: ["10.9.0.1"], hostNetwork: true },
];
const placement: Placement = {
  pods: pods.map(({ namespace, name }) => ({ name: `${namespace}/${name}`, cgroups: [`/${name}`] })),
};

function compile(spec: object, more: Partial<Placement> = {}): NetworkTable {
  const metadata = { name: "p", namespace: "shop" };
  const policies = [{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec }];
  const evaluator = createEvaluator({ namespaces: [{ name: "shop" }], pods, policies });
  return compileTable(evaluator, { ...placement, ...more });
}

/** As the kernel asks it. */
function lets({ prefixes, cells }: NetworkTable, row: number, cidr: string): unknown {
  const prefix = prefixes.find((one) => one.cidr === cidr);
  return cells.find((cell) => cell.row === row && cell.class === prefix?.class)?.ports;
}

test("a pod that nothing selects is not in it, nor one on the network of its node", () => {
  const table = compile({ podSelector: { matchLabels: { app: "db" } } });
  assert.deepEqual(table.pods, [{ cgroup: "/db", ingress: 1, egress: 0 }]);
  assert.deepEqual(
    compile({ podSelector: { matchLabels: { app: "web" } } }).pods.map(({ cgroup }) => cgroup),
    ["/web"],
  );
});

test("ports by name are those of the pod, and every address is in a class", () => {
  const from = [{ podSelector: { matchLabels: { app: "web" } } }];
  const table = compile({ podSelector: { matchLabels: { app: "db" } }, ingress: [{ from, ports: [{ port: "sql" }] }] });
  const sql = [{ protocol: 6, first: 5432, last: 5432 }];
  assert.deepEqual(lets(table, 1, "10.0.0.1"), sql);
  assert.deepEqual(lets(table, 1, "fd00::1"), sql);
  assert.equal(lets(table, 1, "10.0.0.2"), undefined);
  assert.equal(lets(table, 1, "10.9.0.1"), undefined, "its address is the node's");
  assert.deepEqual(
    table.prefixes.map(({ cidr }) => cidr).filter((cidr) => cidr.includes("/")),
    ["0.0.0.0/0", "::/0"],
  );
});

test("blocks of addresses become prefixes, without their exceptions", () => {
  const to = [{ ipBlock: { cidr: "192.0.2.0/24", except: ["192.0.2.128/25"] } }];
  const table = compile({ podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Egress"], egress: [{ to }] });
  assert.deepEqual(table.pods, [{ cgroup: "/web", ingress: 0, egress: 1 }]);
  assert.equal(lets(table, 1, "192.0.2.0/25"), "all");
  assert.equal(lets(table, 1, "10.0.0.2"), undefined);
  const whole = table.prefixes.filter(({ cidr }) => cidr === "192.0.2.128/25");
  assert.ok(whole.length === 0 || lets(table, 1, "192.0.2.128/25") === undefined);
});

test("a Service is open where all that may answer are; the node always", () => {
  const to = [{ podSelector: { matchLabels: { app: "db" } } }];
  const egress = [{ to, ports: [{ port: 5432 }] }];
  const ports = (...targets: { end: string; port: number }[]) => [{ protocol: "TCP" as const, port: 80, targets }];
  const table = compile(
    { podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Egress"], egress },
    {
      node: ["10.9.0.1"],
      services: [
        { ip: "10.1.0.1", ports: ports({ end: "shop/db", port: 5432 }) },
        { ip: "10.1.0.2", ports: ports({ end: "shop/db", port: 5433 }) },
        { ip: "10.1.0.3", ports: ports({ end: "shop/db", port: 5432 }, { end: "192.0.2.1", port: 5432 }) },
      ],
    },
  );
  assert.deepEqual(lets(table, 1, "10.1.0.1"), [{ protocol: 6, first: 80, last: 80 }]);
  assert.equal(lets(table, 1, "10.1.0.2"), undefined);
  assert.equal(lets(table, 1, "10.1.0.3"), undefined);
  assert.equal(lets(table, 1, "10.9.0.1"), "all");
});
