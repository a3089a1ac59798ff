/**
 * `npm run bench webhook`: the webhook through HTTP and TLS, as an API server calls it. 500 reviews a second of a pod, each
 * against the policies of the restricted Pod Security Standard, 20 others about pods, and an ImagePolicy whose verdict is
 * cached: the 99th of a hundred within 10 ms. The caller is a process of its own, so that the webhook has one core to
 * itself. Where others use the machine too, the CPU of each review counts, for it is what fits into a second.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadLibrary, requestFor, type LibraryPolicy } from "@bulwark/admission";
import { createListener, guardsOf, imageGuards, judge, nativeGuard } from "@bulwark/gate";
import { createAuthority, openAuthority } from "@bulwark/identity";
import { createImageJudge, notScanned, readImagePolicy } from "@bulwark/imagepolicy";
import { policySetting } from "@bulwark/model";

const limit = 10;
const rate = 500;
const rounds = 5000;
const path = "/validate/bench/ignore/0?timeout=10s";

if (process.send) {
  process.once("message", (message) => void call(message as { port: number; ca: string }));
} else await serve();

async function serve(): Promise<void> {
  const library = policies();
  const setting = (policy: string) => policySetting.parse({ policy, mode: "warn" });
  const digest = `sha256:${"a".repeat(64)}`;
  const images = createImageJudge({
    source: {
      report: async () => notScanned,
      open: async () => ({
        digest: async () => digest,
        verify: async () => ({ signatures: [{ authority: "release" }], attestations: [], account: [] }),
        config: async () => ({}),
        [Symbol.asyncDispose]: async () => undefined,
      }),
    },
  });
  const signed = readImagePolicy({
    ...{ apiVersion: "bulwark.dev/v1", kind: "ImagePolicy", metadata: { name: "signed" } },
    spec: { validations: [{ expression: "image.signatures.exists(s, s.authority == 'release')" }] },
  });
  const guards = [
    ...library.map(({ compiled, name }) => nativeGuard(compiled, [], setting(name))),
    ...imageGuards(signed, setting("signed"), images),
  ];
  const pair = await createAuthority(Date.now(), { name: "Bulwark webhook" });
  const own = await (await openAuthority(pair)).issueServer(Date.now(), { names: ["127.0.0.1"] });
  const server = createListener({
    limits: { body: 8e6, atOnce: 256, deadline: 4000 },
    tls: { cert: own.certificate, key: own.key },
    ready: () => true,
    async judge(route, request, deadline) {
      const now = Date.now();
      const surroundings = {
        namespace: { metadata: { name: request.namespace } },
        paramsOf: () => [],
        ask: async () => ({ allowed: false, reason: "" }),
        signal: new AbortController().signal,
      };
      return (await judge(request, guardsOf(route, guards, now), surroundings, { now, deadline })).response;
    },
    turnedAway: (_route, why) => console.error(`turned away: ${why}`),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const caller = fork(import.meta.filename);
  caller.send({ port: (server.address() as AddressInfo).port, ca: pair.certificate });
  const begin = process.cpuUsage();
  const [times] = (await once(caller, "message")) as [number[]];
  const { user, system } = process.cpuUsage(begin);
  caller.disconnect();
  server.close();
  server.closeAllConnections();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? 0;
  const p99 = at(0.99);
  const each = (user + system) / 1000 / times.length;
  console.log(
    `${times.length} reviews at ${rate} a second, ${library.length} policies and a cached image verdict, over TLS 1.3`,
  );
  console.log(
    `p99 ${p99.toFixed(2)} ms of ${limit} ms, median ${at(0.5).toFixed(2)} ms, ${each.toFixed(2)} ms of CPU each`,
  );
  process.exitCode = p99 <= limit ? 0 : 1;
}

/** The folder `pod` is the restricted standard and more; 20 others that are asked about a new pod. */
function policies(): LibraryPolicy[] {
  const all = loadLibrary(join(import.meta.dirname, "../content/policies"));
  const restricted = all.filter(({ category }) => category === "pod");
  const isAboutPods = ({ compiled }: LibraryPolicy): boolean =>
    (compiled.policy.spec.matchConstraints.resourceRules ?? []).some(
      ({ resources, operations }) => resources.includes("pods") && operations.includes("CREATE"),
    );
  const others = all.filter((policy) => policy.category !== "pod" && isAboutPods(policy)).slice(0, 20);
  return [...restricted, ...others];
}

/** From when each should have begun: one that waits for the one before it is late too. */
async function call({ port, ca }: { port: number; ca: string }): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16, ca });
  const container = { name: "web", image: "registry.example.com/web:1.4", ports: [{ containerPort: 8080 }] };
  const pod = {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "shop", labels: { app: "web" } } },
    spec: { containers: [container, { ...container, name: "log" }], volumes: [{ name: "tmp", emptyDir: {} }] },
  };
  const review = {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { ...requestFor(pod), uid: "u" },
  };
  const body = JSON.stringify(review);
  async function ask(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const request = httpsRequest({ host: "127.0.0.1", port, path, method: "POST", agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.resume().on("end", resolve);
    });
    request.on("error", reject).end(body);
    return promise;
  }
  await Promise.all(Array.from({ length: 16 }, ask));
  for (let warm = 0; warm < 500; warm++) await ask();
  const times: number[] = [];
  const waiting: Promise<void>[] = [];
  const begin = performance.now();
  for (let index = 0; index < rounds; index++) {
    const due = begin + (index * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 1) await sleep(wait);
    waiting.push(ask().then(() => void times.push(performance.now() - due)));
  }
  await Promise.all(waiting);
  process.send?.(times);
}
