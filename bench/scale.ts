/**
 * What one replica of the control plane takes: events, agents, images, and how long it then holds up others. A real
 * `bulwark serve` on SQLite, and on PostgreSQL with NATS; the senders and the databases share its processors.
 *
 *     node scripts/node.mjs bench/scale.ts --seconds 10 --engine postgresql
 */
import { Agent, request } from "node:https";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { createRequest, serverName } from "@bulwark/identity";
import type { AgentRecord, ImageReport } from "@bulwark/model";
import {
  joinAgent,
  missing,
  run as runProgram,
  sampleEvent,
  sampleReport,
  startNats,
  startPostgres,
} from "@bulwark/testkit";
import { bulwark, startProduct, type Product } from "../e2e/product.ts";
import { figuresOf, metricsEnvironment } from "./cluster/metrics.ts";
import { cpuOf } from "./cluster/process.ts";

interface Row {
  engine: string;
  what: string;
  value: number;
  unit: string;
  /** The least, or with `most` the largest, that it may be. */
  limit: number;
  most?: true;
}

const batchSize = 2000;
const senders = 4;
const agents = 100;
const packagesOfImage = 400;

async function runOn(engine: "sqlite" | "postgresql", seconds: number): Promise<Row[]> {
  await using postgres = engine === "postgresql" ? await startPostgres({ durable: true }) : undefined;
  await using nats = engine === "postgresql" ? await startNats() : undefined;
  const env = postgres && nats ? { DATABASE_URL: postgres.url, NATS_URL: nats.url } : {};
  await using product = await startProduct({ command: "serve", env: { ...env, ...metricsEnvironment } });
  const nodes = await joinNodes(product, agents);
  const rows: Row[] = [];
  const add = (what: string, value: number, unit: string, limit: number, most?: true): void => {
    rows.push({ engine, what, value, unit, limit, ...(most && { most }) });
  };

  await figuresOf(product);
  const pid = product.process.pid ?? 0;
  const cpu = cpuOf(pid);
  const events = await eventsPerSecond(nodes.slice(0, senders), seconds);
  const each = (cpuOf(pid) - cpu) / (events.stored / 1000);
  const during = await figuresOf(product);
  add(`events, ${senders} agents with full spools`, events.rate, "events/s", engine === "sqlite" ? 8000 : 6000);
  add("processor time of the replica for 1,000 of them", each, "ms", 150, true);
  add("longest pause of the event loop meanwhile", during.lagMax * 1000, "ms", 250, true);
  add("pause in 1 of 100 turns", during.lag99 * 1000, "ms", 100, true);
  add("slowest batch", events.slowest, "ms", 5000, true);
  add("memory", during.memory / 1e6, "MB", 1500, true);

  await figuresOf(product);
  const small = await smallBatches(nodes, seconds / 2);
  add(`batches of one record, ${agents} agents`, small, "batches/s", 350);
  add("certificates issued", await perSecond(nodes.slice(0, 8), seconds / 4, renewal), "certificates/s", 20);
  add(
    "new connections (TLS, both certificates)",
    await perSecond(nodes.slice(0, 8), seconds / 4, newConnection),
    "connections/s",
    50,
  );
  add(
    `image reports of ${packagesOfImage} packages`,
    await perSecond(nodes.slice(0, 4), seconds / 2, imageReport),
    "images/s",
    20,
  );
  return rows;
}

interface Node {
  name: string;
  agent: Agent;
  url: string;
  tls: { cert: string; key: string };
  next: number;
}

async function joinNodes(product: Product, count: number): Promise<Node[]> {
  const token = runProgram(bulwark, ["join", "--any", "--data", product.data]).trim();
  const nodes: Node[] = [];
  for (let n = 0; n < count; n++) {
    const name = `node-${n}`;
    const { certificate: cert, key } = await joinAgent(product.agentsUrl, token, name);
    const tls = { cert, key, rejectUnauthorized: false, servername: serverName };
    nodes.push({ name, url: product.agentsUrl, tls, next: 1, agent: new Agent({ keepAlive: true, ...tls }) });
  }
  return nodes;
}

async function eventsPerSecond(
  nodes: Node[],
  seconds: number,
): Promise<{ rate: number; stored: number; slowest: number }> {
  const texts = nodes.map(({ name }) => {
    const records = Array.from({ length: batchSize }, (_, n): AgentRecord => ({
      type: "event",
      event: sampleEvent(n, { node: name, id: `${name}/run/${n}` }),
    }));
    // Two members are one gzip: the head changes with each batch, the records do not.
    return gzipSync(`"records":${JSON.stringify(records)}}`, { level: 1 });
  });
  const end = performance.now() + seconds * 1000;
  let stored = 0;
  let slowest = 0;
  const began = performance.now();
  await Promise.all(
    nodes.map(async (node, index) => {
      while (performance.now() < end) {
        const head = gzipSync(`{"node":"${node.name}","spool":"s","first":${node.next},`);
        const start = performance.now();
        await post(node, "/api/agent/v1/records", Buffer.concat([head, texts[index] ?? Buffer.of()]), "gzip");
        slowest = Math.max(slowest, performance.now() - start);
        node.next += batchSize;
        stored += batchSize;
      }
    }),
  );
  return { rate: (stored * 1000) / (performance.now() - began), stored, slowest };
}

/** What agents send that see little: one record at a time. */
async function smallBatches(nodes: Node[], seconds: number): Promise<number> {
  return perSecond(nodes, seconds, async (node) => {
    const record = { type: "containers", node: node.name, running: [] };
    await sendRecords(node, [record]);
  });
}

async function renewal(node: Node): Promise<void> {
  await post(node, "/api/agent/v1/certificate", Buffer.from(JSON.stringify({ request: csr })));
}

async function newConnection(node: Node): Promise<void> {
  const agent = new Agent({ ...node.tls, rejectUnauthorized: false, servername: serverName, maxCachedSessions: 0 });
  await sendRecords({ ...node, agent, next: node.next++ }, [{ type: "containers", node: node.name, running: [] }]);
  agent.destroy();
}

let images = 0;
async function imageReport(node: Node): Promise<void> {
  await sendRecords(node, [{ type: "image", report: largeReport(images++) }]);
}

function largeReport(n: number): ImageReport {
  const report = sampleReport(1);
  const [first] = report.inventory.packages;
  if (!first) throw new Error("the sample has no package");
  const digest = `sha256:${n.toString(16).padStart(64, "0")}`;
  const packages = Array.from({ length: packagesOfImage }, (_, index) => ({
    ...first,
    name: `package-${index}-${n % 50}`,
  }));
  const inventory = { ...report.inventory, packages };
  return { ...report, digest, key: `${report.name}@${digest}`, inventory };
}

async function sendRecords(node: Node, records: object[]): Promise<void> {
  const body = JSON.stringify({ node: node.name, spool: "s", first: node.next, records });
  node.next += records.length;
  await post(node, "/api/agent/v1/records", Buffer.from(body));
}

/** Each does it again and again, side by side. */
async function perSecond(nodes: Node[], seconds: number, once: (node: Node) => Promise<void>): Promise<number> {
  const began = performance.now();
  const end = began + seconds * 1000;
  let done = 0;
  await Promise.all(
    nodes.map(async (node) => {
      while (performance.now() < end) {
        await once(node);
        done++;
      }
    }),
  );
  return (done * 1000) / (performance.now() - began);
}

async function post(node: Node, path: string, body: Buffer, encoding?: string): Promise<void> {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": body.length,
      ...(encoding !== undefined && { "content-encoding": encoding }),
    };
    const call = request(new URL(path, node.url), { method: "POST", agent: node.agent, headers }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode));
    });
    call.once("error", reject);
    call.end(body);
  });
  if (status !== 200) throw new Error(`${path} answered ${status}`);
}

let csr = "";

if (import.meta.main) {
  const { values } = parseArgs({ options: { seconds: { type: "string" }, engine: { type: "string" } } });
  csr = (await createRequest()).request;
  const rows: Row[] = [];
  for (const engine of ["sqlite", "postgresql"] as const) {
    if (values.engine !== undefined && values.engine !== engine) continue;
    const reason = engine === "postgresql" ? missing("postgresql", "nats") : false;
    if (reason) console.error(`${engine}: left out: ${reason}`);
    else rows.push(...(await runOn(engine, Number(values.seconds ?? 12))));
  }
  console.table(
    rows.map(({ engine, what, value, unit, limit, most }) => {
      return { engine, what, value: Math.round(value), unit, limit: `${most ? "≤" : "≥"} ${limit}` };
    }),
  );
  const kept = rows.every(({ value, limit, most }) => (most ? value <= limit : value >= limit));
  process.exitCode = kept ? 0 : 1;
}
