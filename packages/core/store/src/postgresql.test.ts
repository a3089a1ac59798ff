import assert from "node:assert/strict";
import { after, test } from "node:test";
import { missing, run, sampleEvent, startPostgres, type TestPostgres } from "@bulwark/testkit";
import type { AgentRecord } from "@bulwark/model";
import { benchmarksContract } from "./benchmarks.suite.ts";
import { runningPoliciesContract } from "./running-policies.suite.ts";
import { flowsContract } from "./flows.suite.ts";
import { storeContract } from "./contract.suite.ts";
import { kubernetesContract } from "./kubernetes.suite.ts";
import { manyNodesContract } from "./many-nodes.suite.ts";
import { nodeIdsContract } from "./node-ids.suite.ts";
import { scansContract } from "./scans.suite.ts";
import { StoreError } from "./error.ts";
import { openStore } from "./open.ts";
import { openPostgres } from "./postgresql/engine.ts";

let server: TestPostgres | undefined;
after(async () => server?.[Symbol.asyncDispose]());

const skip = missing("postgresql");
const now = 1_700_000_100_000;
const records = Array.from({ length: 640 }, (_, n): AgentRecord => ({ type: "event", event: sampleEvent(n) }));

async function emptyDatabase(name: string): Promise<string> {
  server ??= await startPostgres();
  const { hostname, port, username } = new URL(server.url);
  run("createdb", ["-h", hostname, "-p", port, "-U", username, name]);
  return server.url.replace(/[^/]*$/, name);
}

storeContract("PostgreSQL", { skip, open: async () => openStore({ postgresql: await emptyDatabase("contract") }) });
runningPoliciesContract("PostgreSQL", {
  skip,
  open: async () => openStore({ postgresql: await emptyDatabase("running") }),
});
flowsContract("PostgreSQL", { skip, open: async () => openStore({ postgresql: await emptyDatabase("flows") }) });
benchmarksContract("PostgreSQL", { skip, open: async () => openStore({ postgresql: await emptyDatabase("marks") }) });
kubernetesContract("PostgreSQL", { skip, open: async () => openStore({ postgresql: await emptyDatabase("kube") }) });
manyNodesContract("PostgreSQL", { skip, open: async () => openStore({ postgresql: await emptyDatabase("nodes") }) });
scansContract("PostgreSQL", { skip, open: async () => openStore({ postgresql: await emptyDatabase("scans") }) });
nodeIdsContract("PostgreSQL", { skip, open: async () => openPostgres(await emptyDatabase("node-ids")) });

test("replicas that start and write at the same time agree", { skip }, async () => {
  const url = await emptyDatabase("replicas");
  const stores = await Promise.all([1, 2, 3].map(async () => openStore({ postgresql: url })));
  const [one] = stores;
  assert.ok(one);
  await Promise.all(
    stores.map(async (store) => store.ingest.write({ node: "node-1", spool: "s", first: 1, records }, now)),
  );
  assert.equal((await one.events.list({}, { limit: 1000 })).items.length, records.length);
  const entry = { time: now, actor: "a", action: "b", target: "", detail: {}, address: "" };
  await Promise.all(stores.flatMap((store) => Array.from({ length: 10 }, async () => store.audit.append(entry))));
  assert.deepEqual(await one.audit.verify(), { entries: 30, brokenAt: null });
  await Promise.all(stores.map(async (store) => store[Symbol.asyncDispose]()));
});

test("a database that restarts is told as unavailable, keeps what it took, and is found again", { skip }, async () => {
  await using own = await startPostgres();
  await using store = await openStore({ postgresql: own.url });
  await store.ingest.write({ node: "node-1", spool: "s", first: 1, records }, now);
  const restarted = own.restart();
  let lost: unknown;
  for (let n = 0; lost === undefined && n < 1000; n++)
    lost = await store.containers.count().then(
      () => undefined,
      (error: unknown) => error,
    );
  assert.ok(lost instanceof StoreError && lost.code === "unavailable", String(lost));
  await restarted;
  const { stored } = await store.ingest.write({ node: "node-1", spool: "s", first: 1, records }, now);
  assert.equal(stored, records.length);
  assert.equal((await store.events.list({}, { limit: 1000 })).items.length, records.length);
});

test("retention by bytes stops when enough events have gone", { skip }, async () => {
  await using store = await openStore({ postgresql: await emptyDatabase("retention") });
  for (let n = 0; n < 40; n++) {
    await store.ingest.write({ node: "node-1", spool: "s", first: n * 640 + 1, records }, now);
  }
  const { bytes } = await store.size();
  const first = await store.retain({ bytes: bytes - 1_000_000 }, now);
  assert.ok(first.events < 40 * 640, "not all of them");
  const second = await store.retain({ bytes: bytes - 1_000_000 }, now);
  assert.equal(second.events, 0, "the file is as large as before, but there is room in it");
});
