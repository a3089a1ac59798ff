/**
 * `npm run bench webhook`: a real `bulwark serve`, asked as an API server asks it, 500 times a second, over HTTP/1.1 on kept
 * connections of TLS 1.3 (webhook clients of API servers speak no HTTP/2: apiserver/pkg/util/webhook/client.go). Three
 * policies find something in every pod, eleven in one of ten; all of it is told, and written down.
 * - the restricted Pod Security Standard, 20 other policies, and an ImagePolicy whose verdict is cached: the 99th of a
 *   hundred within 10 ms, on one processor;
 * - every policy of the library that is about pods.
 *
 * The caller is a process of its own that costs little (`webhook/caller.ts`), and times each request from when it was due;
 * where others use the machine, how late it was itself says so, and the processor time of each review counts, for it is
 * what fits into a second. The first five seconds are not counted: a server that has been up for a minute is compiled.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadLibrary, requestFor, type Json, type LibraryPolicy } from "@bulwark/admission";
import { digestOf, freePort } from "@bulwark/testkit";
import { startProduct } from "../e2e/product.ts";
import { figuresOf, metricsEnvironment } from "./cluster/metrics.ts";
import { cpuOf } from "./cluster/process.ts";
import { openCaller } from "./webhook/caller.ts";

const limit = 10;
const rate = 500;
const rounds = 7500;
const warmRounds = 2500;
/** As the chart starts a server that reviews. */
const reviewsEnvironment = { NODE_OPTIONS: "--max-semi-space-size=32" };
const path = "/validate/bench/ignore/0?timeout=10s";

interface Call {
  port: number;
  registry: string;
}
interface Times {
  /** Milliseconds of each request, and how late the caller was with it. */
  took: number[];
  late: number[];
}

async function bench(): Promise<void> {
  const library = loadLibrary(join(import.meta.dirname, "../content/policies")).filter(isAboutPods);
  const restricted = library.filter(({ podSecurity }) => podSecurity === "restricted");
  const others = library.filter(({ podSecurity }) => podSecurity !== "restricted");
  await using registry = await startRegistry();
  const few = await measure([...restricted, ...others.slice(0, 20)], registry.address);
  console.log(`restricted standard (${restricted.length}), 20 more   ${textOf(few)}, of ${limit} ms`);
  const all = await measure(library, registry.address);
  console.log(`all about pods (${library.length})                  ${textOf(all)}`);
  process.exitCode = few.p99 <= limit ? 0 : 1;
}

interface Measured {
  p99: number;
  median: number;
  late99: number;
  cpu: number;
  pause: number;
}

function textOf({ p99, median, late99, cpu, pause }: Measured): string {
  const [a, b, c, d, e] = [p99, median, late99, cpu, pause].map((figure) => figure.toFixed(2));
  return `p99 ${a} ms, median ${b} ms, ${d} ms of processor each, longest pause ${e} ms (caller late by ${c} ms)`;
}

async function measure(policies: readonly LibraryPolicy[], registry: string): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-webhook-"));
  const file = join(folder, "images.yaml");
  writeFileSync(file, JSON.stringify(imagePolicy));
  const port = await freePort();
  const admission = {
    ...{ port, files: [file], registries: { plainHttp: [registry] } },
    policies: [...policies.map(({ name }) => name), "recent"].map((policy) => ({ policy, mode: "warn" })),
  };
  try {
    await using product = await startProduct({
      command: "serve",
      config: JSON.stringify({ server: { admission } }),
      env: { ...metricsEnvironment, ...reviewsEnvironment },
    });
    const caller = fork(import.meta.filename);
    const failed = new Promise<never>((_, reject) => {
      caller.once("exit", (code) => code !== 0 && reject(new Error(`the caller ended with ${code}`)));
    });
    caller.send({ port, registry } satisfies Call);
    await Promise.race([once(caller, "message"), failed]);
    const pid = product.process.pid ?? 0;
    await figuresOf(product);
    const before = cpuOf(pid);
    caller.send("go");
    const [{ took, late }] = (await Promise.race([once(caller, "message"), failed])) as [Times];
    const cpu = (cpuOf(pid) - before) / took.length;
    const { lagMax } = await figuresOf(product);
    return {
      ...{ p99: quantile(took, 0.99), median: quantile(took, 0.5) },
      ...{ late99: quantile(late, 0.99), cpu, pause: lagMax * 1000 },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function isAboutPods({ compiled }: LibraryPolicy): boolean {
  return (compiled.policy.spec.matchConstraints.resourceRules ?? []).some(
    ({ resources, operations }) => resources.includes("pods") && operations.includes("CREATE"),
  );
}

const imagePolicy = {
  ...{ apiVersion: "bulwark.dev/v1", kind: "ImagePolicy", metadata: { name: "recent" } },
  spec: { validations: [{ expression: "image.age < 400 * 86400" }] },
};

/** A registry with one image, which any name has. */
async function startRegistry(): Promise<AsyncDisposable & { address: string }> {
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const config = json({ created: new Date().toISOString(), config: { User: "1000" } });
  const manifest = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length },
    layers: [],
  });
  const server = createServer(({ url = "" }, response) => {
    const body = url.includes("/manifests/") ? manifest : url.includes("/blobs/") ? config : json({});
    const type = url.includes("/manifests/") ? "application/vnd.oci.image.manifest.v1+json" : "application/json";
    response.writeHead(200, { "content-type": type, "docker-content-digest": digestOf(body) }).end(body);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A pod that has nothing against it in the restricted standard, and one as people write it. */
function podsOn(registry: string): [good: Json, bad: Json] {
  const image = `${registry}/shop/web:1.4`;
  const metadata = { name: "web", namespace: "shop", labels: { app: "web", "app.kubernetes.io/name": "web" } };
  const plain = { image, ports: [{ containerPort: 8080 }] };
  const careful = {
    ...plain,
    resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "64Mi" } },
    securityContext: {
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
      capabilities: { drop: ["ALL"] },
    },
  };
  const pod = (container: Json, spec: Json): Json => ({
    ...{ apiVersion: "v1", kind: "Pod", metadata },
    spec: {
      ...spec,
      containers: ["web", "log"].map((name) => ({ name, ...container })),
      volumes: [{ name: "tmp", emptyDir: { sizeLimit: "10Mi" } }],
    },
  });
  const security = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
  return [pod(careful, { automountServiceAccountToken: false, securityContext: security }), pod(plain, {})];
}

async function call({ port, registry }: Call): Promise<void> {
  const caller = await openCaller(port);
  const [good = "", bad = ""] = podsOn(registry).map((object) =>
    JSON.stringify({
      ...{ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" },
      request: { ...requestFor(object), uid: "u" },
    }),
  );
  async function run(count: number): Promise<Times> {
    const times: Times = { took: [], late: [] };
    const waiting: Promise<void>[] = [];
    const begin = performance.now();
    for (let index = 0; index < count; index++) {
      const due = begin + (index * 1000) / rate;
      const wait = due - performance.now();
      if (wait > 0) await sleep(wait);
      // A timer may come before its time.
      const from = Math.min(due, performance.now());
      times.late.push(Math.max(0, performance.now() - due));
      waiting.push(
        caller.post(path, index % 10 === 0 ? bad : good).then(() => void times.took.push(performance.now() - from)),
      );
    }
    await Promise.all(waiting);
    return times;
  }
  await run(warmRounds);
  process.send?.("warm");
  await once(process, "message");
  process.send?.(await run(rounds));
}

function quantile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}

if (process.send) process.once("message", (message) => void call(message as Call));
else await bench();
