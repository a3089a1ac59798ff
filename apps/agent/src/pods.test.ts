import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Container } from "@bulwark/model";
import { connect, type Kube } from "@bulwark/kube";
import { createLogger } from "@bulwark/telemetry";
import { fakeKubernetes, sampleContainer, type FakeKubernetes, type FakeObject } from "@bulwark/testkit";
import { PodBook } from "./pods.ts";

const pods = "/api/v1/pods";
const owner = (kind: string, name: string): object[] => [
  { kind, apiVersion: "apps/v1", name, uid: `uid-${name}`, controller: true },
];
function pod(uid: string, node: string, labels: Record<string, string> = {}, name = uid): FakeObject {
  const ownerReferences = owner("ReplicaSet", "web-5d4f");
  const metadata = { name, namespace: "shop", uid, labels, ownerReferences };
  return { kind: "Pod", apiVersion: "v1", metadata, spec: { nodeName: node, serviceAccountName: "web" } };
}
function containerOf(uid: string): Container {
  return sampleContainer(1, { pod: { name: "web", namespace: "shop", uid, container: "c" } });
}

let fake: FakeKubernetes;
let book: PodBook;
let changed: string[];
let now: number;

beforeEach(async () => {
  fake = await fakeKubernetes();
  const metadata = {
    name: "web-5d4f",
    namespace: "shop",
    uid: "uid-web-5d4f",
    ownerReferences: owner("Deployment", "web"),
  };
  fake.put("/apis/apps/v1/replicasets", { kind: "ReplicaSet", apiVersion: "apps/v1", metadata });
  fake.put(pods, pod("own", "node-1", { app: "web" }), pod("foreign", "node-2"));
  changed = [];
  now = 1_000_000;
  const log = createLogger("test");
  log.level = "silent";
  const open = (): Kube => connect({ access: fake.access });
  book = new PodBook({ node: "node-1", log, connect: open, changed: (uid) => changed.push(uid), now: () => now });
  await until("the own pod is known", () => changed.includes("own"));
  await until("its watch is open", () => fake.watching === 1);
});
afterEach(async () => {
  await book[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
});

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > end) assert.fail(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const metadataOf = (uid: string) => book.complete(containerOf(uid)).pod?.metadata;

test("a container carries labels, account and the whole chain of its own node's pod, and nothing of another node's", () => {
  assert.deepEqual(metadataOf("own"), {
    labels: { app: "web" },
    owners: [
      { kind: "ReplicaSet", apiVersion: "apps/v1", name: "web-5d4f", uid: "uid-web-5d4f" },
      { kind: "Deployment", apiVersion: "apps/v1", name: "web", uid: "uid-web" },
    ],
    serviceAccount: "web",
  });
  assert.equal(metadataOf("foreign"), undefined);
  assert.deepEqual(changed, ["own"]);
});

test("a pod that lives for two seconds keeps what was known of it for a minute, and its name's next owner is another", async () => {
  fake.put(pods, pod("first", "node-1", { run: "1" }, "job"));
  fake.remove(pods, "first");
  fake.put(pods, pod("second", "node-1", { run: "2" }, "job"));
  await until("both are known", () => metadataOf("second") !== undefined);
  assert.deepEqual(metadataOf("first")?.labels, { run: "1" });
  assert.deepEqual(metadataOf("second")?.labels, { run: "2" });
  now += 61_000;
  fake.put(pods, pod("third", "node-1"));
  await until("the first one is forgotten", () => metadataOf("first") === undefined);
  assert.deepEqual(metadataOf("second")?.labels, { run: "2" });
});

test("an unknown pod is waited for, for a second and once; then it goes on without, and nothing is guessed", async () => {
  const early = containerOf("early");
  assert.equal(book.isAwaited(early), true);
  now += 900;
  assert.equal(book.isAwaited(early), true);
  now += 200;
  assert.equal(book.isAwaited(early), false);
  assert.equal(book.isAwaited(early), false);
  assert.equal(book.health().counters["unknown.pod"], 1);
  assert.deepEqual(book.complete(early), early);
  assert.equal(book.isAwaited(sampleContainer(2)), false, "what is of no pod waits for none");
  fake.put(pods, pod("early", "node-1", { late: "yes" }));
  await until("it is known after all", () => changed.includes("early"));
  assert.deepEqual(metadataOf("early")?.labels, { late: "yes" });
});

test("while the API server is away what was told stays, nobody waits, and it is said", async () => {
  assert.equal(book.health().state, "ok");
  fake.away();
  await until("it is said", () => book.health().state === "degraded");
  assert.match(book.health().reason, /does not answer/);
  assert.deepEqual(metadataOf("own")?.labels, { app: "web" });
  assert.equal(book.isAwaited(containerOf("new")), false);
  fake.put(pods, pod("new", "node-1"));
  fake.remove(pods, "own");
  fake.compact();
  fake.back();
  await until("what happened in the meantime is known", () => metadataOf("new") !== undefined);
  await until("it is well again", () => book.health().state === "ok");
  assert.equal(book.health().counters["pods"], 1);
  assert.equal(book.health().counters["relists"], 1);
});

test("an owner that may not be read ends the chain: the direct one is known, the next is not guessed", async () => {
  const ownerReferences = owner("ReplicaSet", "hidden-5d4f");
  const hidden = pod("hidden", "node-1");
  fake.put(pods, { ...hidden, metadata: { ...hidden.metadata, ownerReferences } });
  await until("it is known", () => metadataOf("hidden") !== undefined);
  assert.deepEqual(
    metadataOf("hidden")?.owners.map(({ name }) => name),
    ["hidden-5d4f"],
  );
  assert.equal(book.health().counters["unknown.owner"], 1);
});
