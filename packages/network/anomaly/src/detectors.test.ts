import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { flowOf, type End, type Flow } from "@bulwark/flow";
import { parseBadList } from "./bad-list.ts";
import type { Context } from "./detector.ts";
import { detectors } from "./detectors/index.ts";
import { createProfile } from "./profile.ts";
import { createRun, type Anomaly } from "./run.ts";

const start = Date.UTC(2026, 0, 5);
const minute = 60_000;
const hour = 60 * minute;

function pod(name: string, namespace = "shop"): End {
  const workload = {
    namespace,
    name,
    kind: null,
    pod: `${name}-1`,
    labels: { app: name },
    serviceAccount: null,
    node: null,
  };
  return { workload, ip: null, name: null };
}
function outside(ip: string | null, name: string | null = null): End {
  return { workload: null, ip, name };
}
const web = pod("web");
const api = pod("api");
const far = outside("203.0.113.9", "api.example.com");

function flow(more: Partial<Flow>): Flow {
  return flowOf({ client: web, server: api, port: 443, protocol: "TCP", first: start, result: "established", ...more });
}
function times(count: number, make: (index: number) => Partial<Flow>): Flow[] {
  return Array.from({ length: count }, (_, index) => flow(make(index)));
}
function run(flows: readonly Flow[], context: Partial<Context> = {}): Anomaly[] {
  const found: Anomaly[] = [];
  const { see } = createRun(detectors, { profile: null, badList: null, ...context }, (anomaly) => found.push(anomaly));
  for (const one of flows) see(one);
  return found;
}
function dns(name: string, code: string | null, index: number): Partial<Flow> {
  const question = { name, type: "TXT", code, addresses: [] };
  return {
    server: outside("10.0.0.2"),
    port: 53,
    protocol: "UDP",
    connections: 0,
    dns: question,
    first: start + index * 1000,
  };
}
const hex = (index: number): string => hash("sha256", String(index)).slice(0, 40);
const random = (index: number): string =>
  `${hash("sha256", String(index))
    .replaceAll(/[^b-f]/g, "")
    .slice(0, 6)}qzx${index}kwv.com`;
const tunnel = (count: number): Flow[] => times(count, (index) => dns(`${hex(index)}.evil.example`, "NOERROR", index));
const searching = (count: number): Flow[] => times(count, (index) => dns(random(index), "NXDOMAIN", index));
const jitter = (index: number): number => ((index * 7919) % 11) - 5;
const call = (index: number): Partial<Flow> => ({
  server: far,
  first: start + index * minute + jitter(index) * 1000,
  bytesOut: 300 + jitter(index),
});
const past = times(12, (index) => ({
  server: far,
  first: start + index * hour,
  bytesOut: (5 + (index % 3)) * 2 ** 20,
}));
const ordinary = createProfile();
for (const known of [flow({}), flow({ server: far })]) ordinary.learn(known);
const onward = [flow({ port: 22 }), flow({ client: api, server: pod("db"), port: 22, first: start + minute })];

/** What must be seen, and beside it the ordinary thing that is most like it and must not. */
const cases: { id: string; seen: Flow[]; unseen: Flow[]; context?: Partial<Context> }[] = [
  {
    id: "port-scan",
    seen: times(20, (index) => ({ port: 1000 + index, result: "refused", first: start + index * minute })),
    unseen: [
      ...times(14, (index) => ({ port: 1000 + index, result: "refused" })),
      ...times(40, (index) => ({ client: pod("probe"), port: 1000 + index })),
      ...times(20, (index) => ({ port: 1000 + index, result: "refused", first: start + (index + 1) * hour })),
    ],
  },
  {
    id: "host-scan",
    seen: times(20, (index) => ({ server: outside(`10.1.0.${index}`), port: 22, result: "timed-out" })),
    unseen: times(100, (index) => ({ server: outside(`10.1.0.${index}`), port: 9100 })),
  },
  {
    id: "lateral-movement",
    seen: onward,
    unseen: [
      flow({ port: 22 }),
      flow({ client: api, server: pod("db"), port: 22, first: start + 3 * hour }),
      ...times(3, (index) => ({ client: pod("x"), server: pod(`s${index}`), port: 22 })),
    ],
  },
  {
    id: "beacon",
    seen: times(40, call),
    unseen: times(40, (index) => ({ server: far, first: start + index ** 2 * 20_000, bytesOut: index ** 3 })),
  },
  {
    id: "exfiltration",
    seen: [...past, flow({ server: far, first: start + 12 * hour, bytesOut: 80 * 2 ** 20 })],
    unseen: [...past, flow({ server: far, first: start + 12 * hour, bytesOut: 9 * 2 ** 20 })],
  },
  {
    id: "metadata-service",
    seen: [flow({ server: outside("169.254.169.254"), port: 80 })],
    unseen: [
      flow({ server: outside("169.254.169.254"), port: 53, protocol: "UDP" }),
      flow({ server: outside("169.254.169.253"), port: 80 }),
    ],
  },
  {
    id: "control-plane",
    seen: [flow({ server: outside("10.0.0.1"), port: 10250 })],
    unseen: [
      flow({ client: pod("metrics-server", "kube-system"), server: outside("10.0.0.1"), port: 10250 }),
      flow({ port: 10250 }),
      flow({ server: outside("10.0.0.1"), port: 6443 }),
    ],
  },
  {
    id: "control-plane",
    seen: [flow({ server: outside("10.0.0.1"), port: 6443 })],
    unseen: [flow({})],
    context: { profile: ordinary },
  },
  {
    id: "mining",
    seen: [flow({ server: outside("203.0.113.1", "pool.supportxmr.com") })],
    unseen: [flow({ server: outside("203.0.113.1", "notsupportxmr.com"), port: 3333 })],
  },
  {
    id: "known-bad",
    seen: [flow({ server: outside("198.51.100.77") })],
    unseen: [flow({ server: outside("198.51.101.1") })],
    context: { badList: parseBadList("198.51.100.0/24 # a block\n") },
  },
  {
    id: "clear-text",
    seen: [flow({ port: 21, clear: "ftp", credential: true })],
    unseen: [flow({ port: 80, clear: "http" })],
  },
  {
    id: "weak-tls",
    seen: [flow({ tls: { version: "1.0", serverName: null } })],
    unseen: [flow({ tls: { version: "1.2", serverName: null } })],
  },
  {
    id: "novelty",
    seen: [flow({ server: pod("db"), port: 5432 })],
    unseen: [flow({}), flow({ server: { ...far, ip: "203.0.113.10" } }), flow({ client: outside("198.51.100.1") })],
    context: { profile: ordinary },
  },
];

for (const { id, seen, unseen, context } of cases) {
  test(`${id} is seen, and what is like it is not`, () => {
    const found = run(seen, context).filter(({ detector }) => detector === id);
    assert.equal(found.length, 1, JSON.stringify(found));
    assert.ok((found[0]?.score ?? 0) > 0 && (found[0]?.score ?? 2) <= 1);
    assert.match(found[0]?.explanation ?? "", /\w/);
    assert.deepEqual(
      run(unseen, context).filter(({ detector }) => detector === id),
      [],
    );
  });
}

test("names alone are never an alert; beside another detector's sight they are", () => {
  assert.deepEqual(run(tunnel(80)), []);
  assert.deepEqual(run(searching(30)), []);
  assert.deepEqual(
    new Set(run([...tunnel(80), ...searching(30)]).map(({ detector }) => detector)),
    new Set(["dns-tunnel", "generated-names"]),
  );
  const calls = times(24, (index) => ({ ...call(index), server: outside("203.0.113.200") }));
  assert.deepEqual(
    new Set(run([...tunnel(80), ...calls]).map(({ detector }) => detector)),
    new Set(["dns-tunnel", "beacon"]),
  );
  const others = times(24, (index) => ({ ...call(index), client: api }));
  assert.deepEqual(new Set(run([...tunnel(80), ...others]).map(({ detector }) => detector)), new Set(["beacon"]));
});

test("every detector has a case, and names a technique of ATT&CK", () => {
  const covered = new Set([...cases.map(({ id }) => id), "dns-tunnel", "generated-names"]);
  assert.deepEqual(new Set(detectors.map(({ id }) => id)), covered);
  for (const { id, techniques } of detectors)
    assert.ok(techniques.every((name) => /^T\d{4}(\.\d{3})?$/.test(name)) && techniques.length > 0, id);
});

test("the same sight is told once an hour", () => {
  const asks = times(10, (index) => ({
    server: outside("169.254.169.254"),
    port: 80,
    first: start + index * 20 * minute,
  }));
  assert.equal(run(asks).length, 4);
});

test("a flood of clients is forgotten in the order of their coming, and counted", () => {
  const { see, forgotten } = createRun(detectors, { profile: null, badList: null }, () => {});
  for (let index = 0; index < 25_000; index++)
    see(flow({ client: outside(`2001:db8::${index.toString(16)}`), result: "refused" }));
  assert.ok((forgotten()["port-scan"] ?? 0) === 5000);
});

test("a list takes addresses, blocks and names, names below a name too, and says which lines are none", () => {
  const list = parseBadList("# comment\n203.0.113.5\n*.bad.example\n2001:db8::/32\nno entry at all\n10.0.0.0/99\n");
  assert.deepEqual(list.broken, [5, 6]);
  assert.equal(list.match("203.0.113.5", null), "203.0.113.5");
  assert.equal(list.match(null, "a.b.bad.example"), "bad.example");
  assert.equal(list.match("2001:db8::7", null), "2001:db8::7");
  assert.equal(list.match("203.0.113.6", "good.example"), undefined);
});
