import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { collections } from "@bulwark/cluster";
import { fakeKubernetes, missing, startPostgres } from "@bulwark/testkit";
import { startTestServer } from "../server.fixture.ts";

test(
  "one replica reads a cluster, and another goes on when that one ends",
  { skip: missing("postgresql") },
  async () => {
    await using fake = await fakeKubernetes();
    await using database = await startPostgres();
    const folder = await mkdtemp(join(tmpdir(), "bulwark-kubernetes-"));
    try {
      const pod = (name: string) => ({ kind: "Pod", apiVersion: "v1", metadata: { name, namespace: "a", uid: name } });
      const system = { kind: "Namespace", apiVersion: "v1", metadata: { name: "kube-system", uid: "system" } };
      fake.put(collections.Namespace, system);
      fake.put(collections.Pod, pod("one"));
      const kubeconfig = join(folder, "kubeconfig");
      const named = { name: "c", context: { cluster: "c", user: "u" } };
      const clusters = [{ name: "c", cluster: { server: fake.url } }];
      const file = {
        "current-context": "c",
        contexts: [named],
        clusters,
        users: [{ name: "u", user: { token: "t" } }],
      };
      await writeFile(kubeconfig, JSON.stringify(file));
      const yaml = JSON.stringify({
        server: { port: 0, database: database.url, kubernetes: { clusters: [{ name: "east", kubeconfig }] } },
      });
      const limits = { clusterFlush: 20, clusterStatus: 50, clusterLease: 1500 };
      const first = await startTestServer({ yaml, limits });
      await until(async () => (await first.store.kubernetes.count("east"))["Pod"] === 1);
      const second = await startTestServer({ yaml, limits });
      try {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        const kinds = Object.keys(collections).length;
        assert.equal(
          fake.requests.lists,
          kinds,
          "the second replica lists nothing while the first one has the cluster",
        );
        await first[Symbol.asyncDispose]();
        fake.put(collections.Pod, pod("two"));
        await until(async () => (await second.store.kubernetes.count("east"))["Pod"] === 2);
        await until(async () => fake.requests.lists === 2 * kinds);
      } finally {
        await second[Symbol.asyncDispose]();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > end) assert.fail("never");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
