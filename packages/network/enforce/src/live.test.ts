import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { createEvaluator, type Cluster } from "@bulwark/netpol";
import { buildSensor, openNetwork, startSensor, type FlowRecord, type Sensor } from "@bulwark/sensor";
import { eventually, missing, suitesDir } from "@bulwark/testkit";
import { compileTable } from "./index.ts";
import { makeWorld, servedPorts, type World } from "./live/world.ts";

const skip = missing("root", "bpf", "clang", "suites");
/** Of the public truth tables, those whose kinds of rules differ most; `BULWARK_TABLES=all` takes every one. */
const chosen = new Set([2, 11, 40, 75, 110, 145, 180, 215]);

interface Case {
  id: number;
  description: string;
  steps: {
    namespaces: Record<string, Record<string, string>>;
    pods: (Cluster["pods"][number] & { ip: string })[];
    policies: unknown[];
    tables: { port: number; protocol: "TCP" | "UDP" | "SCTP"; rows: string[] }[];
  }[];
}

describe("network policies where the network enforces none", { skip }, () => {
  const all = skip ? [] : readCases();
  const pods = all[0]?.steps[0]?.pods ?? [];
  const names = pods.map(({ namespace, name }) => `${namespace}/${name}`);
  let world: World;
  let sensor: Sensor;
  const flows: FlowRecord[] = [];
  const ended: string[] = [];

  before(async () => {
    await buildSensor();
    world = await makeWorld(
      pods.map(({ ip }, index) => ({ name: names[index] ?? "", ips: [ip, `fd00:19::${index + 1}`] })),
    );
    sensor = await startSensor({
      enforce: true,
      host: true,
      flows: {
        everyMs: 100,
        onTraffic: (records) => flows.push(...records.filter((record) => record.type === "flow")),
      },
      onRecords: () => undefined,
      onExit: (error) => ended.push(error.message),
    });
  });
  after(async () => {
    await sensor?.close();
    await world?.[Symbol.asyncDispose]();
  });

  /** Enforces policies, with both addresses of each pod. */
  async function enforce(policies: unknown[], namespaces: Record<string, Record<string, string>>): Promise<void> {
    const evaluator = createEvaluator({
      namespaces: Object.entries(namespaces).map(([name, labels]) => ({ name, labels })),
      pods: pods.map(({ ip, ...pod }, index) => ({ ...pod, ips: [ip, `fd00:19::${index + 1}`] })),
      policies,
    });
    const placed = names.map((name) => ({ name, cgroups: [world.cgroupOf(name)] }));
    await sensor.enforceNetwork(compileTable(evaluator, { pods: placed }));
  }

  /** Cells that are not as the table says. */
  async function wrong(
    tables: Case["steps"][number]["tables"],
    address = (index: number) => pods[index]?.ip ?? "",
  ): Promise<string[]> {
    const probed = tables.filter(({ port, protocol }) => protocol !== "SCTP" && servedPorts.includes(port));
    const found = await Promise.all(
      names.map(async (from, row) => {
        const probes = probed.flatMap(({ port, protocol, rows }) =>
          names.map((_, column) => ({
            protocol: protocol as "TCP" | "UDP",
            ip: address(column),
            port,
            expected: rows[row]?.[column] === ".",
          })),
        );
        const got = await world.probe(from, probes);
        return probes.flatMap(({ protocol, ip, port, expected }, index) =>
          got[index] === expected ? [] : [`${from} to ${ip} ${protocol} ${port}: ${expected ? "closed" : "open"}`],
        );
      }),
    );
    return found.flat();
  }

  const isFull = process.env["BULWARK_TABLES"] === "all";
  for (const { id, description, steps } of all.filter(({ id }) => isFull || chosen.has(id))) {
    test(`${id}: ${description}`, async () => {
      let probed = 0;
      for (const { policies, namespaces, tables, pods: own } of steps) {
        // Steps with more pods, or with other labels, are of another world.
        if (JSON.stringify(own) !== JSON.stringify(pods)) continue;
        await enforce(policies, namespaces);
        assert.deepEqual(await wrong(tables), []);
        probed += tables.length;
      }
      assert.ok(probed > 0, "nothing was probed");
      assert.deepEqual(ended, []);
    });
  }

  const policy = (spec: object, namespace = "x"): object => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "own", namespace },
    spec,
  });
  const labels = all[0]?.steps[0]?.namespaces ?? {};
  const ipOf = (name: string): string => pods[names.indexOf(name)]?.ip ?? "";
  const openTo = async (from: string, ip: string, port: number, expected: boolean): Promise<boolean> =>
    (await world.probe(from, [{ protocol: "TCP", ip, port, expected }]))[0] ?? false;

  test("IPv6 as IPv4", async () => {
    const step = all.find(({ id }) => id === 110)?.steps[0];
    assert.ok(step);
    await enforce(step.policies, step.namespaces);
    assert.deepEqual(await wrong(step.tables, (index) => `fd00:19::${index + 1}`), []);
  });

  for (const [protocol, how] of [
    ["MPTCP", "of multipath TCP"],
    ["SYN", "by a raw socket"],
    ["OPT", "by a raw socket, behind a header of options,"],
    ["PART", "by a raw socket, in parts,"],
  ] as const)
    test(`a first packet ${how} is judged as the kernel's own`, async () => {
      const addressOf = (name: string): string =>
        protocol === "PART" || protocol === "MPTCP" ? ipOf(name) : `fd00:19::${names.indexOf(name) + 1}`;
      const through = async (to: string, expected: boolean): Promise<boolean | undefined> =>
        (await world.probe("x/b", [{ protocol, ip: addressOf(to), port: 80, expected }]))[0];
      await enforce([policy({ podSelector: { matchLabels: { pod: "a" } }, policyTypes: ["Ingress"] })], labels);
      assert.equal(await through("x/c", true), true, "to whom it may speak");
      assert.equal(await through("x/a", false), false, "to one that nobody may");
      await enforce([policy({ podSelector: { matchLabels: { pod: "b" } }, policyTypes: ["Egress"] })], labels);
      assert.equal(await through("x/c", false), false, "by one that may to nobody");
    });

  test("a connection of multipath TCP is counted at both ends", async () => {
    await sensor.enforceNetwork(openNetwork);
    flows.length = 0;
    const probe = { protocol: "MPTCP", ip: ipOf("z/c"), port: 81, expected: true } as const;
    assert.deepEqual(await world.probe("z/b", [probe]), [true]);
    for (const role of ["client", "server"]) {
      const told = await eventually(`the ${role}'s`, () =>
        flows.find((flow) => flow.role === role && flow.port === 81 && flow.established > 0),
      );
      assert.deepEqual([told.begun, told.name], [1, "member"]);
    }
  });

  test("what is denied is counted by connection, at the end that denied it", async () => {
    await enforce([policy({ podSelector: { matchLabels: { pod: "a" } }, policyTypes: ["Ingress", "Egress"] })], labels);
    // Twice, so that all that was counted before has been told.
    for (let turn = 0; turn < 2; turn++) {
      flows.length = 0;
      assert.equal(await openTo("z/b", ipOf("z/c"), 80, true), true);
      await eventually("it is told", () => flows.find(({ remote }) => remote === ipOf("z/c")));
    }
    flows.length = 0;
    assert.equal(await openTo("x/b", ipOf("x/a"), 80, false), false);
    assert.equal(await openTo("x/a", ipOf("x/c"), 81, false), false);
    const denied = (role: string) => flows.filter((flow) => flow.denied > 0 && flow.role === role);
    const [refused] = await eventually("the one at its client", () =>
      denied("client")[0] ? denied("client") : undefined,
    );
    assert.deepEqual([refused?.remote, refused?.port, refused?.policy], [ipOf("x/c"), 81, 1]);
    const [dropped] = await eventually("the one at its server", () =>
      denied("server")[0] ? denied("server") : undefined,
    );
    assert.deepEqual([dropped?.remote, dropped?.port, dropped?.policy], [ipOf("x/b"), 80, 2]);
    assert.equal(dropped?.denied, 1, "however often its first packet was sent");
  });

  test("a Service is open where all that may answer are, the node always", async () => {
    const evaluator = createEvaluator({
      namespaces: Object.entries(labels).map(([name, own]) => ({ name, labels: own })),
      pods: pods.map(({ ip, ...pod }) => ({ ...pod, ips: [ip] })),
      policies: [
        policy({
          podSelector: { matchLabels: { pod: "a" } },
          policyTypes: ["Egress"],
          egress: [{ to: [{ podSelector: { matchLabels: { pod: "b" } } }], ports: [{ port: 80 }] }],
        }),
      ],
    });
    // Nothing stands between here: addresses of pods play those of Services and of the node.
    const [mixed, single, own] = [ipOf("y/a"), ipOf("y/b"), ipOf("z/a")];
    const to = (end: string, port: number) => ({ end, port });
    const services = [
      { ip: single, ports: [{ protocol: "TCP" as const, port: 81, targets: [to("x/b", 80)] }] },
      { ip: mixed, ports: [{ protocol: "TCP" as const, port: 80, targets: [to("x/b", 80), to("x/c", 80)] }] },
    ];
    const placed = [{ name: "x/a", cgroups: [world.cgroupOf("x/a")] }];
    await sensor.enforceNetwork(compileTable(evaluator, { pods: placed, services, node: [own] }));
    assert.equal(await openTo("x/a", single, 81, true), true);
    assert.equal(await openTo("x/a", single, 80, false), false, "another port of it");
    assert.equal(await openTo("x/a", mixed, 80, false), false, "one of two may not be reached");
    assert.equal(await openTo("x/a", own, 81, true), true);
  });

  test("while policies change, what both allow never fails, and what both deny never gets through", async () => {
    const closed = { podSelector: { matchLabels: { pod: "a" } }, policyTypes: ["Ingress"] };
    const from = { from: [{ podSelector: { matchLabels: { pod: "b" } } }] };
    let changes = 0;
    const over = new AbortController();
    const changing = (async () => {
      for (; !over.signal.aborted; changes++) {
        const ports = changes % 2 === 0 ? {} : { ports: [{ port: 80 }] };
        await enforce([policy({ ...closed, ingress: [{ ...from, ...ports }] })], labels);
      }
    })();
    await eventually("they change", () => changes > 0 || undefined);
    const got: boolean[] = [];
    for (let round = 0; round < 10; round++) {
      const [opened, refused] = await Promise.all([
        world.probe(
          "x/b",
          Array.from({ length: 20 }, () => ({ protocol: "TCP", ip: ipOf("x/a"), port: 80, expected: true })),
        ),
        world.probe(
          "x/c",
          Array.from({ length: 20 }, () => ({ protocol: "TCP", ip: ipOf("x/a"), port: 80, expected: false })),
        ),
      ]);
      got.push(...opened, ...refused.map((is) => !is));
    }
    over.abort();
    await changing;
    assert.deepEqual([...new Set(got)], [true]);
    assert.ok(changes >= 5, `${changes} changes`);
  });

  test("a table that cannot be enforced leaves the one before; none, and the end of the sensor, open everything", async () => {
    await enforce([policy({ podSelector: {}, policyTypes: ["Ingress"] })], labels);
    const ports = Array.from({ length: 65 }, (_, index) => ({ protocol: 6, first: 2 * index, last: 2 * index }));
    const tooMuch = { prefixes: [], cells: [{ row: 1, class: 0, ports }], pods: [] };
    await assert.rejects(sensor.enforceNetwork(tooMuch), { code: "policy", message: /65 ranges of ports/ });
    assert.equal(await openTo("x/b", ipOf("x/a"), 80, false), false);
    await sensor.enforceNetwork(openNetwork);
    assert.equal(await openTo("x/b", ipOf("x/a"), 80, true), true);
    await enforce([policy({ podSelector: {}, policyTypes: ["Ingress"] })], labels);
    assert.equal(await openTo("x/b", ipOf("x/a"), 80, false), false);
    await sensor.close();
    assert.equal(await openTo("x/b", ipOf("x/a"), 80, true), true);
    assert.deepEqual(ended, []);
  });
});

function readCases(): Case[] {
  const file = join(suitesDir(), "netpol/truth-tables.json.gz");
  return JSON.parse(gunzipSync(readFileSync(file)).toString()) as Case[];
}
