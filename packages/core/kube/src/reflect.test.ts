import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { fakeKubernetes, type FakeKubernetes, type FakeObject } from "@bulwark/testkit";
import { connect } from "./client.ts";
import type { KubeError } from "./error.ts";
import { reflect, type Mirror, type ReflectOptions } from "./reflect.ts";

const path = "/api/v1/pods";
const pod = (n: number, node = "node-1"): FakeObject => ({
  kind: "Pod",
  apiVersion: "v1",
  metadata: { name: `pod-${n}`, namespace: "default", uid: `uid-${n}` },
  spec: { nodeName: node },
});

/** What a mirror would hold, and what it was told. */
function collector() {
  const held = new Map<string, string>();
  let listing = new Set<string>();
  const told = { put: 0, gone: 0, lists: 0, heard: 0, pages: 0, failed: [] as KubeError["code"][] };
  const mirror: Mirror = {
    async page(objects) {
      told.pages++;
      for (const { metadata } of objects) {
        listing.add(metadata.uid);
        held.set(metadata.uid, metadata.name);
      }
    },
    async listed() {
      told.lists++;
      for (const uid of held.keys()) if (!listing.has(uid)) held.delete(uid);
      listing = new Set();
    },
    async put({ metadata }) {
      told.put++;
      held.set(metadata.uid, metadata.name);
    },
    async gone({ metadata }) {
      told.gone++;
      held.delete(metadata.uid);
    },
    heard: () => void told.heard++,
    failed: (error) => void told.failed.push(error.code),
  };
  return { held, told, mirror };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > end) assert.fail(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let fake: FakeKubernetes;
let stop: AbortController;
let ended: Promise<void>;
let seen: ReturnType<typeof collector>;

beforeEach(async () => {
  fake = await fakeKubernetes();
  fake.put(path, pod(1), pod(2));
  stop = new AbortController();
  seen = collector();
});
afterEach(async () => {
  stop.abort();
  await ended;
  await fake[Symbol.asyncDispose]();
});

async function begin(more: Omit<ReflectOptions, "signal"> = {}): Promise<void> {
  const client = connect({ access: fake.access });
  const options = { signal: stop.signal, firstPause: 5, ...more };
  ended = reflect(client, path, seen.mirror, options).finally(() => client[Symbol.dispose]());
  await until("the watch is open", () => fake.watching === 1);
}

test("what is there is listed page by page, and what happens is followed", async () => {
  fake.put(path, ...Array.from({ length: 1200 }, (_, n) => pod(n + 10)));
  await begin();
  assert.equal(seen.held.size, 1202);
  assert.equal(seen.told.pages, 3);
  fake.put(path, pod(3));
  fake.remove(path, "uid-1");
  await until("both are told", () => seen.told.put === 1 && seen.told.gone === 1);
  assert.equal(fake.requests.lists, 3);
});

test("a watch that is dropped goes on from where it was: each change is told once, and nothing is listed again", async () => {
  await begin();
  for (let n = 0; n < 20; n++) {
    fake.put(path, pod(100 + n));
    if (n % 5 === 4) fake.drop();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await until("all twenty are held", () => seen.held.size === 22);
  assert.equal(seen.told.put, 20);
  assert.equal(seen.told.lists, 1);
});

test("half an object before the connection breaks is none", async () => {
  await begin();
  fake.drop({ half: pod(666) });
  await until("the watch is open again", () => fake.requests.watches === 2 && fake.watching === 1);
  fake.put(path, pod(4));
  await until("what came after is told", () => seen.held.has("uid-4"));
  assert.ok(!seen.held.has("uid-666"));
  assert.equal(seen.told.lists, 1);
});

test("a version that is too old is listed anew, and what went in the meantime is known to have gone", async () => {
  await begin();
  fake.away();
  fake.remove(path, "uid-1");
  fake.put(path, pod(5));
  fake.compact();
  fake.back();
  await until("it is listed again", () => seen.told.lists === 2);
  assert.deepEqual([...seen.held.keys()].sort(), ["uid-2", "uid-5"]);
  assert.ok(seen.told.failed.includes("gone"));
});

test("a watch that is told that its version is too old is listed anew", async () => {
  await begin();
  fake.expire();
  await until("it is listed and watched again", () => seen.told.lists === 2 && fake.watching === 1);
  fake.put(path, pod(6));
  await until("what comes then is told", () => seen.held.has("uid-6"));
  assert.deepEqual(seen.told.failed, ["gone"]);
});

test("a watch on which nothing comes is dead, whatever the connection says: it is opened again", async () => {
  await begin({ idle: 50 });
  await until("it is open again", () => fake.requests.watches >= 3);
  fake.put(path, pod(6));
  await until("what comes then is told", () => seen.held.has("uid-6"));
  assert.equal(seen.told.lists, 1);
  assert.ok(seen.told.failed.every((code) => code === "unreachable"));
});

test("a list of large objects is read in smaller pages; one object that is too large is said", async () => {
  const large = (n: number, size: number): FakeObject => ({ ...pod(n), annotation: "x".repeat(size) });
  fake.put(path, ...Array.from({ length: 60 }, (_, n) => large(n, 10_000)));
  await begin({ pageBytes: 100_000 });
  assert.equal(seen.held.size, 60);
  assert.ok(seen.told.pages >= 7, `${seen.told.pages} pages`);
  assert.deepEqual(seen.told.failed, []);
  fake.put(path, large(99, 200_000));
  await until("a watch takes it", () => seen.held.has("uid-99"));
  fake.expire();
  await until("a list does not", () => seen.told.failed.includes("too-large"));
  fake.put(path, large(99, 10));
  await until("it is listed when it can be", () => seen.told.lists === 2);
});

test("an API server that is away is waited for, and nothing that happened is missed or told twice", async () => {
  await begin();
  fake.away();
  await until("several tries failed", () => seen.told.failed.length >= 3);
  for (let n = 0; n < 10; n++) fake.put(path, pod(200 + n));
  fake.back();
  await until("all ten are held", () => seen.held.size === 12);
  assert.equal(seen.told.put, 10);
  assert.ok(seen.told.failed.every((code) => code === "unreachable"));
});

test("an API server that is busy is left alone for as long as it asks", async () => {
  fake.refuse(429, 1, { "retry-after": "1" });
  const from = performance.now();
  await begin();
  assert.ok(performance.now() - from >= 900);
  assert.deepEqual(seen.told.failed, ["busy"]);
});

test("a bookmark moves the version on, so that a quiet collection survives compaction", async () => {
  await begin();
  fake.put("/api/v1/nodes", { kind: "Node", apiVersion: "v1", metadata: { name: "n", uid: "n" } });
  fake.compact();
  const heard = seen.told.heard;
  fake.bookmark();
  await until("the bookmark came", () => seen.told.heard > heard);
  fake.drop();
  await until("the watch is open again", () => fake.requests.watches === 2 && fake.watching === 1);
  assert.equal(seen.told.lists, 1);
});

test("only what the field selector chooses is told", async () => {
  fake.put(path, pod(7, "node-2"));
  await begin({ fieldSelector: "spec.nodeName=node-1" });
  fake.put(path, pod(8, "node-2"), pod(9));
  await until("the own one is told", () => seen.held.has("uid-9"));
  assert.deepEqual([...seen.held.keys()].sort(), ["uid-1", "uid-2", "uid-9"]);
});
