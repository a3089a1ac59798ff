/**
 * Network policies on a cluster whose network enforces none, by agents alone: sets of the public truth tables, probed with
 * real connections between real pods on two nodes. Takes minutes: `npm run e2e e2e/network/enforcement.long.ts`.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { eventually, missing, run, suitesDir } from "@bulwark/testkit";
import { busyboxImage, startCluster, type Cluster } from "../cluster/cluster.ts";
import { bulwark } from "../product.ts";

interface Table {
  port: number;
  protocol: "TCP" | "UDP" | "SCTP";
  rows: string[];
}
interface Step {
  namespaces: Record<string, Record<string, string>>;
  pods: { namespace: string; name: string; labels: Record<string, string>; ports: object[] }[];
  policies: { metadata: { name: string; namespace?: string } }[];
  tables: Table[];
}
interface Case {
  id: number;
  description: string;
  steps: Step[];
}

const skip = missing("cluster", "bpf", "clang", "suites");
/** At most so long until every connection is as the policies say, after they changed. */
const slowest = 30_000;
const sets = Number(process.env["BULWARK_SETS"] ?? 44);

describe("network policies, enforced by agents", { skip, timeout: 1_500_000 }, () => {
  const stack = new AsyncDisposableStack();
  const cases = skip ? [] : chosenCases();
  const [first] = cases[0]?.steps ?? [];
  const pods = first?.pods ?? [];
  const names = pods.map(({ namespace, name }) => `${namespace}/${name}`);
  const probers = new Map<string, { child: ChildProcess; lines: AsyncIterator<string> }>();
  const agents = new Map<string, ChildProcess>();
  const ips = new Map<string, string>();
  const told = { sets: 0, cells: 0, wrong: 0, slowest: 0 };
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster({ nodes: 2 });
    stack.defer(async () => cluster.delete());
    const live = join(cluster.folder, "live");
    mkdirSync(live);
    const source = join(import.meta.dirname, "../../packages/network/enforce/src/live/member.c");
    run("clang", ["-static", "-O1", "-Wall", "-Werror", "-o", join(live, "member"), source]);
    for (const [name, labels] of Object.entries(first?.namespaces ?? {})) {
      cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    }
    cluster.apply(...names.map((_, index) => podObject(index, live)));
    for (const namespace of Object.keys(first?.namespaces ?? {})) cluster.ready(["--all"], { namespace });
    for (const name of names) await meet(name);
    for (const { name } of cluster.nodes) startAgent(name);
  });
  after(async () => {
    for (const child of [...agents.values(), ...[...probers.values()].map(({ child }) => child)]) child.kill("SIGKILL");
    await stack.disposeAsync();
    console.log(JSON.stringify(told));
  });

  function podObject(index: number, live: string): object {
    const { namespace, name, labels, ports } = pods[index] as Step["pods"][number];
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace, labels },
      spec: {
        nodeName: `node-${(index % 2) + 1}`,
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: "main",
            image: busyboxImage,
            command: ["/live/member", "-", "-", "serve", "80", "81"],
            ports,
            volumeMounts: [{ name: "live", mountPath: "/live" }],
          },
        ],
        volumes: [{ name: "live", hostPath: { path: live } }],
      },
    };
  }

  /** Its address, and something inside that probes. */
  async function meet(full: string): Promise<void> {
    const [namespace = "", name = ""] = full.split("/");
    const { status } = cluster.get("pod", name, namespace) as { status: { podIP: string } };
    ips.set(full, status.podIP);
    probers.get(full)?.child.kill("SIGKILL");
    const flags = ["kubectl", "--kubeconfig", cluster.kubeconfig, "exec", "-i", "-n", namespace, name, "--"];
    const child = spawn(cluster.programs.kubernetes, [...flags, "/live/member", "-", "-", "probe", "1500"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    assert.equal((await lines.next()).value, "ready");
    probers.set(full, { child, lines });
  }

  function startAgent(node: string): void {
    const { containerd } = cluster.nodes.find(({ name }) => name === node) as Cluster["nodes"][number];
    const none = { docker: [], "cri-o": [], podman: [], runc: [], crun: [] };
    const config = join(cluster.folder, `${node}-agent.yaml`);
    const agent = {
      ...{ runtimes: { containerd: [containerd], ...none }, kubernetes: { kubeconfig: cluster.kubeconfig } },
      ...{ network: { enforce: true }, benchmarks: { hours: 0 }, scan: { images: "running" } },
    };
    writeFileSync(config, JSON.stringify({ agent }));
    // There is no server: what is told is kept, and policies hold all the same.
    const flags = ["--node", node, "--config", config, "--data", join(cluster.folder, `${node}-agent`)];
    const child = spawn(bulwark, ["agent", "--server", "https://127.0.0.1:9", ...flags], {
      env: { ...process.env, BULWARK_LOG: "error" },
      stdio: ["ignore", "inherit", "inherit"],
    });
    agents.set(node, child);
  }

  /** Cells that are not as the table says. */
  async function wrong(tables: readonly Table[]): Promise<string[]> {
    const probed = tables.filter(({ port, protocol }) => protocol !== "SCTP" && (port === 80 || port === 81));
    const found = await Promise.all(
      names.map(async (from, row) => {
        const cells = probed.flatMap(({ port, protocol, rows }) =>
          names.map((to, column) => ({ to, port, protocol, isOpen: rows[row]?.[column] === "." })),
        );
        const prober = probers.get(from);
        const lines = cells.map(
          ({ to, port, protocol, isOpen }) =>
            `${protocol.toLowerCase()} ${ips.get(to)} ${port} ${isOpen ? "open" : "closed"}\n`,
        );
        prober?.child.stdin?.write(`${lines.join("")}\n`);
        const answer = String((await prober?.lines.next())?.value);
        told.cells += cells.length;
        assert.equal(answer.length, cells.length, from);
        return cells.flatMap(({ to, port, protocol, isOpen }, index) =>
          (answer[index] === ".") === isOpen
            ? []
            : [`${from} to ${to} ${protocol} ${port}: ${isOpen ? "closed" : "open"}`],
        );
      }),
    );
    return found.flat();
  }

  /** Probes until everything is as the table says, and once more. */
  async function settles(tables: readonly Table[]): Promise<void> {
    const start = performance.now();
    for (;;) {
      const found = await wrong(tables);
      const took = performance.now() - start;
      if (found.length === 0) {
        told.slowest = Math.max(told.slowest, Math.round(took));
        break;
      }
      told.wrong += found.length;
      assert.ok(took < slowest, `after ${Math.round(took)} ms still wrong: ${found.slice(0, 5).join("; ")}`);
    }
    assert.deepEqual(await wrong(tables), [], "and it stays so");
  }

  function change(policies: Step["policies"]): void {
    cluster.kubectl("delete", "networkpolicies", "--all", "--all-namespaces");
    const objects = policies.map((policy) => ({
      ...policy,
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
    }));
    if (objects.length > 0) cluster.apply(...objects);
  }

  test("the agents enforce a first policy", { timeout: 120_000 }, async () => {
    const closed = cases.find(({ id }) => id === 230) ?? cases[0];
    const { policies = [], tables = [] } = closed?.steps[0] ?? {};
    change(policies);
    await eventually("it is enforced", async () => ((await wrong(tables)).length === 0 ? true : undefined), 110_000);
  });

  for (const { id, description, steps } of cases) {
    test(`${id}: ${description}`, { timeout: 120_000 }, async () => {
      const [step] = steps;
      assert.ok(step);
      change(step.policies);
      await settles(step.tables);
      told.sets++;
    });
  }

  test("a pod that starts anew, with another address, is judged as the one before", { timeout: 120_000 }, async () => {
    const [step] = cases.find(({ id }) => id === 75)?.steps ?? cases[0]?.steps ?? [];
    assert.ok(step);
    change(step.policies);
    await settles(step.tables);
    const before = ips.get("x/a");
    cluster.kubectl("delete", "pod", "a", "-n", "x", "--wait=true");
    cluster.apply(podObject(0, join(cluster.folder, "live")));
    cluster.ready(["pod/a"], { namespace: "x" });
    await meet("x/a");
    assert.notEqual(ips.get("x/a"), before);
    await settles(step.tables);
  });

  test(
    "an agent that is killed enforces nothing until it is there again, and then the same",
    { timeout: 120_000 },
    async () => {
      const [step] = cases.find(({ id }) => id === 230)?.steps ?? cases[0]?.steps ?? [];
      assert.ok(step);
      change(step.policies);
      await settles(step.tables);
      agents.get("node-1")?.kill("SIGKILL");
      await eventually("it lets through what it kept out", async () =>
        (await wrong(step.tables)).length > 0 ? true : undefined,
      );
      startAgent("node-1");
      await eventually(
        "it keeps that out again",
        async () => ((await wrong(step.tables)).length === 0 ? true : undefined),
        60_000,
      );
    },
  );
});

/** Of those about the nine pods as they are and no fixed addresses, evenly over the whole list. */
function chosenCases(): Case[] {
  const file = join(suitesDir(), "netpol/truth-tables.json.gz");
  const all = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Case[];
  const [plain] = all[0]?.steps ?? [];
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const fitting = all.filter(({ steps }) => {
    const [step] = steps;
    if (steps.length !== 1 || !step || !plain) return false;
    return (
      same(step.pods, plain.pods) &&
      same(step.namespaces, plain.namespaces) &&
      !JSON.stringify(step).includes("ipBlock")
    );
  });
  const last = fitting.filter(({ id }) => id === 230 || id === 75);
  const spread = fitting
    .filter((_, index) => index % Math.max(1, Math.floor(fitting.length / sets)) === 0)
    .slice(0, sets);
  return [...new Set([...spread, ...last])];
}
