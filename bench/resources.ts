/**
 * What a server, a collector and an agent take of memory and processor: with nothing to do, with 100 events a second, with
 * a cluster of 10,000 pods. The requests of the chart (deploy/helm/bulwark/values.yaml) are these figures, rounded up. Real
 * processes; the API server is a fake one in this process, so that it does not count.
 *
 *     node scripts/node.mjs bench/resources.ts --pods 2000 --seconds 5
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { collections } from "@bulwark/cluster";
import {
  eventually,
  fakeKubernetes,
  joinAgent,
  missing,
  run,
  runWithRunc,
  sampleEvent,
  type FakeKubernetes,
  type FakeObject,
  type TestAgent,
} from "@bulwark/testkit";
import { bulwark, startProduct, type Product } from "../e2e/product.ts";
import { pod, range } from "./cluster/crowd.ts";
import { cpuOf, memoryOf } from "./cluster/process.ts";

interface Row {
  who: string;
  when: string;
  "memory, MB": number;
  "at its height, MB": number;
  /** Thousandths of one processor, as the chart counts them. */
  "processor, m": number;
}

const { values } = parseArgs({ options: { pods: { type: "string" }, seconds: { type: "string" } } });
const pods = Number(values.pods ?? 10_000);
const seconds = Number(values.seconds ?? 20);
const rate = 100;
const rows: Row[] = [];

/** Over some seconds, in which `work` is done again and again. */
async function note(who: string, when: string, pid: number, work?: () => Promise<void>): Promise<void> {
  const [cpu, from] = [cpuOf(pid), performance.now()];
  while (performance.now() - from < seconds * 1000) await (work?.() ?? pause(500));
  const used = (cpuOf(pid) - cpu) / ((performance.now() - from) / 1000);
  rows.push({
    ...{ who, when, "memory, MB": Math.round(memoryOf(pid)) },
    ...{ "at its height, MB": Math.round(memoryOf(pid, "VmHWM")), "processor, m": Math.round(used) },
  });
}

async function server(fake: FakeKubernetes, folder: string): Promise<void> {
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      ...{ "current-context": "c", contexts: [{ name: "c", context: { cluster: "c", user: "u" } }] },
      ...{ clusters: [{ name: "c", cluster: { server: fake.url } }], users: [{ name: "u", user: { token: "t" } }] },
    }),
  );
  {
    await using product = await startProduct({ command: "serve" });
    const pid = product.process.pid ?? 0;
    await pause(5000);
    await note("server", "nothing to do", pid);
    const agents = await joined(product, 20);
    let sent = 0;
    // What twenty nodes see in a second, from each five events.
    await note("server", `${rate} events a second`, pid, async () => {
      const next = pause(1000);
      const first = 1 + sent++ * (rate / agents.length);
      await Promise.all(agents.map(async (agent) => agent.send(first, eventsOf(agent, first))));
      await next;
    });
    const token = run(bulwark, ["join", "--any", "--cluster", "east", "--data", product.data]).trim();
    const flags = ["--server", product.agentsUrl, "--cluster", "east", "--kubeconfig", kubeconfig];
    const collector = spawn(bulwark, ["cluster", "--data", join(folder, "collector"), ...flags], {
      env: { ...process.env, BULWARK_JOIN_TOKEN: token, BULWARK_LOG: "warn" },
      stdio: "inherit",
    });
    await complete(product);
    await pause(3000);
    await note("collector", `${pods} pods`, collector.pid ?? 0);
    collector.kill();
  }
  const clusters = JSON.stringify([{ name: "east", kubeconfig }]);
  await using product = await startProduct({
    command: "serve",
    config: `server: { kubernetes: { clusters: ${clusters} } }\n`,
  });
  await complete(product);
  await pause(3000);
  const pid = product.process.pid ?? 0;
  await note("server", `${pods} pods`, pid);
  let n = 0;
  await note("server", `${pods} pods, 20 of them change each second`, pid, async () => {
    for (const _ of range(20)) {
      const changed = pod(n++ % pods) as FakeObject;
      fake.put(collections.Pod, { ...changed, metadata: { ...changed.metadata, labels: { n: String(n) } } });
    }
    await pause(1000);
  });
}

async function complete(product: Product): Promise<void> {
  const api = await product.api();
  await eventually(
    "a complete inventory",
    async () => {
      const east = (await api.listClusters()).items.find(({ name }) => name === "east");
      return east && east.syncedAt !== null && east.objects["Pod"] === pods ? true : undefined;
    },
    120_000,
  );
}

async function joined(product: Product, count: number): Promise<TestAgent[]> {
  const token = run(bulwark, ["join", "--any", "--data", product.data]).trim();
  const agents: TestAgent[] = [];
  for (const n of range(count)) agents.push(await joinAgent(product.agentsUrl, token, `node-${n}`));
  return agents;
}

function eventsOf({ node }: TestAgent, first: number): object[] {
  return range(5).map((n) => {
    const event = sampleEvent(first + n, { node, id: `${node}/run/${first + n}`, time: Date.now() });
    return { type: "event", event };
  });
}

/** Of bare runc, so that it needs no daemon: a shell that runs a program again and again. */
async function agent(folder: string): Promise<void> {
  await using product = await startProduct({ command: "serve" });
  const token = run(bulwark, ["join", "node-1", "--data", product.data]).trim();
  const root = join(folder, "runc");
  const config = join(folder, "agent.yaml");
  writeFileSync(
    config,
    `agent: { runtimes: { containerd: [], docker: [], cri-o: [], podman: [], runc: ["${root}"], crun: [] } }\n`,
  );
  const flags = ["--server", product.agentsUrl, "--node", "node-1", "--config", config];
  const child = spawn(bulwark, ["agent", "--data", join(folder, "agent"), ...flags], {
    env: { ...process.env, BULWARK_JOIN_TOKEN: token, BULWARK_LOG: "warn" },
    stdio: "inherit",
  });
  const api = await product.api();
  const counted = async (): Promise<number> =>
    (await api.getHealth()).components.find(({ id }) => id === "sensor")?.counters["events"] ?? 0;
  const pid = child.pid ?? 0;
  try {
    await eventually(
      "the sensor works",
      async () =>
        (await api.getHealth()).components.some(({ id, state }) => id === "sensor" && state === "ok") || undefined,
      60_000,
    );
    await using _idle = runWithRunc({ root, args: ["sleep", "600"] });
    await pause(8000);
    await note("agent", "one container, nothing to do", pid);
    // Begin, program and end of each are three events.
    const script = `while :; do /bin/true; usleep ${Math.round((3 * 1_000_000) / rate)}; done`;
    await using _busy = runWithRunc({ root, args: ["sh", "-c", script] });
    // Its root file system is examined first.
    await pause(15_000);
    const [before, from] = [await counted(), performance.now()];
    await note("agent", "", pid);
    const seen = ((await counted()) - before) / ((performance.now() - from) / 1000);
    const last = rows.at(-1);
    if (last) last.when = `${Math.round(seen)} events a second`;
  } finally {
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
  }
}

const folder = mkdtempSync(join(tmpdir(), "bulwark-resources-"));
try {
  await using fake = await fakeKubernetes();
  const system = { kind: "Namespace", apiVersion: "v1", metadata: { name: "kube-system", uid: "system" } };
  fake.put(collections.Namespace, system);
  fake.put(collections.Pod, ...range(pods).map((index) => pod(index) as FakeObject));
  await server(fake, folder);
  const lack = missing("root", "bpf", "clang", "runc", "busybox");
  if (lack === false) await agent(folder);
  else console.error(`the agent is left out: ${lack}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.table(rows);
