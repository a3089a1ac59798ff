/**
 * What a cluster of 10,000 pods costs the server, and how soon the console knows of a change. A real `bulwark serve` on
 * SQLite follows a real API server and etcd (e2e/cluster), whose pods and nodes are plain objects without a machine
 * behind them. All of them share the processors of this machine.
 *
 *     node scripts/node.mjs bench/cluster.ts --pods 2000
 */
import { parseArgs } from "node:util";
import { createClient, routes, type Client } from "@bulwark/contract";
import { connect, resources, type Kube } from "@bulwark/kube";
import { eventually, missing } from "@bulwark/testkit";
import { startCluster } from "../e2e/cluster/cluster.ts";
import { openSession, startProduct, type Product } from "../e2e/product.ts";
import { each, makeCrowd, range } from "./cluster/crowd.ts";
import { cpuOf, memoryOf } from "./cluster/process.ts";

interface Row {
  what: string;
  value: number;
  unit: string;
  /** The largest that it may be. */
  limit: number;
}

const changes = 40;
const burst = 1000;
const calm = 10_000;

async function measure(pods: number, say: (text: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  const add = (what: string, value: number, unit: string, limit: number): void => {
    rows.push({ what, value, unit, limit });
    say(`${what}: ${Math.round(value)} ${unit}`);
  };
  await using cluster = await startCluster({ nodes: 0, say });
  for (const program of ["kube-controller-manager", "kube-scheduler", "coredns"]) await cluster.stop(program);
  using kube = connect({ kubeconfig: cluster.kubeconfig });
  say(`writing ${pods} pods into the API server`);
  const began = performance.now();
  const crowd = await makeCrowd(kube, { nodes: 100, namespaces: 20, deployments: 10, pods: pods / 200 });
  say(`${crowd} pods on 100 nodes after ${((performance.now() - began) / 1000).toFixed(0)} s`);

  const clusters = JSON.stringify([{ name: "east", kubeconfig: cluster.kubeconfig }]);
  const config = `server: { kubernetes: { clusters: ${clusters} } }\n`;
  const start = performance.now();
  await using product = await startProduct({ command: "serve", config, env: { BULWARK_METRICS_TOKEN: "bench" } });
  const pid = product.process.pid ?? 0;
  const session = await openSession(product.url, product.loginLink());
  const api = createClient(routes, { base: product.url, headers: () => session });
  const ready = performance.now();
  const complete = await eventually("a complete inventory", async () => completeness(api, crowd), 120_000);
  const known = performance.now();
  add("from the start of the server to a complete inventory", known - start, "ms", 30_000);
  add("of that, reading the cluster", known - ready, "ms", 20_000);
  add("processor time for it", cpuOf(pid), "ms", 25_000);
  add("memory at its height", memoryOf(pid, "VmHWM"), "MB", 500);
  say(`${complete} objects are known`);

  await new Promise((resolve) => setTimeout(resolve, 3000));
  const before = cpuOf(pid);
  await new Promise((resolve) => setTimeout(resolve, calm));
  add("processor, nothing happens", ((cpuOf(pid) - before) / calm) * 1000, "ms/s", 50);
  add("memory then", memoryOf(pid, "VmRSS"), "MB", 450);

  const stream = await openStream(product, session);
  const times: number[] = [];
  for (const n of range(changes)) times.push(await relabelOne(kube, api, stream, n));
  stream.close();
  times.sort((a, b) => a - b);
  add("from a label to the console, median", times[changes / 2] ?? Number.NaN, "ms", 500);
  add("from a label to the console, slowest", times.at(-1) ?? Number.NaN, "ms", 2000);

  const beforeBurst = cpuOf(pid);
  add(`${burst} labels on end, until the last is found`, await relabelMany(kube, api), "ms", 3000);
  add("processor time for them", cpuOf(pid) - beforeBurst, "ms", 5000);
  add("pods by label, first page", await median(async () => firstPage(api, { selector: "track=stable" })), "ms", 250);
  add(
    "workloads with what is known of them",
    await median(async () => firstPage(api, { workloads: "true" })),
    "ms",
    500,
  );
  return rows;
}

async function completeness(api: Client, pods: number): Promise<number | undefined> {
  const { items } = await api.listClusters();
  const east = items.find(({ name }) => name === "east");
  if (!east || east.syncedAt === null) return undefined;
  if (east.state !== "ok" || east.objects["Pod"] !== pods) throw new Error(JSON.stringify(east));
  return Object.values(east.objects).reduce((sum, count) => sum + count, 0);
}

interface Stream {
  /** Resolves at the next message that something of the cluster changed. */
  next(): Promise<void>;
  close(): void;
}

/** What an open page of the console has. */
async function openStream({ url }: Product, headers: Record<string, string>): Promise<Stream> {
  const stop = new AbortController();
  const response = await fetch(`${url}/api/v1/stream`, { headers, signal: stop.signal });
  if (!response.ok || !response.body) throw new Error(`the stream answered ${response.status}`);
  let heard = Promise.withResolvers<void>();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  void (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      if (!value.includes("event: cluster")) continue;
      heard.resolve();
      heard = Promise.withResolvers();
    }
  })().catch(() => undefined);
  return { next: async () => heard.promise, close: () => stop.abort() };
}

/** Until a page that is open has heard of it, and finds it when it asks then. */
async function relabelOne(kube: Kube, api: Client, stream: Stream, n: number): Promise<number> {
  const heard = stream.next();
  const place = { namespace: `team-${n % 20}` };
  const { items } = await kube.list(resources.pods, { ...place, labelSelector: `app=app-${n % 10}` });
  const name = items[0]?.metadata.name ?? "";
  const started = performance.now();
  await kube.patch(resources.pods, name, { metadata: { labels: { fresh: `n${n}` } } }, place);
  await heard;
  await eventually("it is found under its label", async () => {
    const page = await api.listKubeObjects({ query: { cluster: "east", selector: `fresh=n${n}`, limit: 10 } });
    return page.items.length === 1 ? true : undefined;
  });
  return performance.now() - started;
}

/** From the last one that was written. */
async function relabelMany(kube: Kube, api: Client): Promise<number> {
  const { items } = await kube.list(resources.pods, { labelSelector: "track=stable" });
  const chosen = items.slice(0, burst);
  await each(chosen, async ({ metadata: { name, namespace } }) => {
    await kube.patch(resources.pods, name, { metadata: { labels: { wave: "1" } } }, { namespace });
  });
  // How long the API server takes to be told is its own affair.
  const written = performance.now();
  await eventually(
    "all are found",
    async () => {
      let found = 0;
      let cursor: string | undefined;
      do {
        const page = await api.listKubeObjects({ query: { cluster: "east", selector: "wave=1", cursor, limit: 500 } });
        found += page.items.length;
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      return found === chosen.length ? true : undefined;
    },
    60_000,
  );
  return performance.now() - written;
}

async function firstPage(api: Client, query: { selector?: string; workloads?: "true" }): Promise<void> {
  const page = await api.listKubeObjects({ query: { cluster: "east", limit: 100, ...query } });
  if (page.items.length !== 100) throw new Error(`${page.items.length} rows`);
}

async function median(once: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 15; n++) {
    const from = performance.now();
    await once();
    times.push(performance.now() - from);
  }
  return times.sort((a, b) => a - b)[7] ?? Number.NaN;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { pods: { type: "string" } } });
  const lack = missing("cluster");
  if (lack !== false) {
    console.error(`left out: ${lack}`);
    process.exit(0);
  }
  const rows = await measure(Number(values.pods ?? 10_000), (text) => console.error(text));
  console.table(
    rows.map(({ what, value, unit, limit }) => ({ what, value: Math.round(value), unit, limit: `≤ ${limit}` })),
  );
  process.exitCode = rows.every(({ value, limit }) => value <= limit) ? 0 : 1;
}
