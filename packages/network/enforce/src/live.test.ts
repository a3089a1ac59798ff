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
    world = await makeWorld(pods.map(({ ip }, index) => ({ name: names[index] ?? "", ips: [ip, `fd00:19::${index + 1}`] })));
    sensor = await startSensor({
      enforce: true,
      host: true,
      flows: { everyMs: 100, onTraffic: (records) => flows.push(...records.filter((record) => record.type === "flow")) },
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
  async function wrong(tables: Case["steps"][number]["tables"], address = (index: number) => pods[index]?.ip ?? ""): Promise<string[]> {
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
});

function readCases(): Case[] {
  const file = join(suitesDir(), "netpol/truth-tables.json.gz");
  return JSON.parse(gunzipSync(readFileSync(file)).toString()) as Case[];
}
void openNetwork;
void eventually;
