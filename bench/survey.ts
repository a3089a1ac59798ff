/**
 * `npm run bench survey`: the look at what runs in a cluster of 10,000 pods, with 60 policies of the library, as a server
 * takes it: pages of an API server (a process of its own), a thread that judges. At most 10 s and 500 MB, and the event
 * loop is held up by nothing meanwhile.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { loadLibrary } from "@bulwark/admission";
import { fakeKubernetes } from "@bulwark/testkit";
import { definitionsIn } from "../apps/server/src/admission/definitions.ts";
import { surveyCluster } from "../apps/server/src/admission/survey.ts";
import { pod, range } from "./cluster/crowd.ts";

const limits = { seconds: 10, megabytes: 500, pause: 100 };
const pods = 10_000;
const policies = 60;

if (process.send) await serve();
else await measure();

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-survey-"));
  const api = fork(import.meta.filename);
  try {
    const [url] = (await once(api, "message")) as [string];
    const kubeconfig = join(folder, "kubeconfig");
    const context = { name: "c", context: { cluster: "c", user: "u" } };
    const file = { "current-context": "c", contexts: [context], users: [{ name: "u", user: { token: "t" } }] };
    writeFileSync(kubeconfig, JSON.stringify({ ...file, clusters: [{ name: "c", cluster: { server: url } }] }));
    const images = { judge: async () => null, known: () => null, pin: async (reference: string) => reference };
    const definitions = loadLibrary(join(import.meta.dirname, "../content/policies"))
      .slice(0, policies)
      .flatMap(({ file: path }) => definitionsIn(path, readFileSync(path, "utf8"), "library", images));

    const before = process.memoryUsage().rss;
    let most = before;
    const watching = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const { signal } = new AbortController();
    const began = performance.now();
    const processor = process.cpuUsage();
    const open = { source: { kind: "server" as const, access: { kubeconfig } }, transfer: [], incomplete: "" };
    const wish = { open, definitions, images, signal, excludedNamespaces: () => [] };
    const { objects, results } = await surveyCluster(wish);
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(processor);
    delay.disable();
    clearInterval(watching);
    const megabytes = (most - before) / 1e6;
    const pause = delay.max / 1e6;
    const found = results.reduce((sum, one) => sum + one.denied + one.noted + one.dropped, 0);
    console.log(`${objects} objects, ${results.length} policies, ${found} findings of workloads`);
    console.log(
      `  ${seconds.toFixed(2)} s of ${limits.seconds} s, from the start of its thread; ${((user + system) / 1e6).toFixed(2)} s of processor`,
    );
    console.log(`  ${megabytes.toFixed(0)} MB of ${limits.megabytes} MB more than before`);
    console.log(`  longest pause of the event loop ${pause.toFixed(1)} ms of ${limits.pause} ms`);
    const holds = seconds <= limits.seconds && megabytes <= limits.megabytes && pause <= limits.pause;
    process.exitCode = holds && objects >= pods ? 0 : 1;
  } finally {
    api.disconnect();
    rmSync(folder, { recursive: true });
  }
}

/** An API server with the crowd in it, until its parent goes away. */
async function serve(): Promise<void> {
  const api = await fakeKubernetes();
  const namespaces = range(20).map((n) => ({
    ...{ apiVersion: "v1", kind: "Namespace" },
    metadata: { name: `team-${n}`, uid: `team-${n}` },
  }));
  api.put("/api/v1/namespaces", ...namespaces);
  api.put("/api/v1/pods", ...range(pods).map((index) => ({ ...pod(index), apiVersion: "v1", kind: "Pod" })));
  process.once("disconnect", () => void api[Symbol.asyncDispose]());
  process.send?.(api.url);
}
