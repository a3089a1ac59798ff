/** A cluster elsewhere joins with a token, by `bulwark cluster` as a person would run it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { ClusterRow, Client } from "@bulwark/contract";
import { collections } from "@bulwark/cluster";
import { readTexts } from "@bulwark/manifests";
import { createGraph } from "@bulwark/rbac";
import {
  eventually,
  fakeKubernetes,
  freePort,
  joinAgent,
  missing,
  run,
  type FakeKubernetes,
  type FakeObject,
} from "@bulwark/testkit";
import { template } from "../deploy/helm/render.ts";
import { bulwark, startProduct, type Product } from "./product.ts";

const object = (kind: string, name: string, metadata: object = {}) => ({
  ...{ kind, apiVersion: "v1", spec: { nodeName: "node-1", containers: [{ name: "c", image: "i" }] } },
  metadata: { name, uid: `uid-${name}`, ...metadata },
  status: { phase: "Running" },
});

const ownImages = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: own-images }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
  validations: [{ expression: "object.spec.containers.all(c, c.image != 'i')" }]`;

describe("a cluster elsewhere", () => {
  const stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "bulwark-joined-"));
  let product: Product;
  let fake: FakeKubernetes;
  let api: Client;
  let agentsPort: number;

  before(async () => {
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    fake = stack.use(await fakeKubernetes());
    fake.put(collections.Namespace, object("Namespace", "kube-system"), object("Namespace", "shop"));
    for (let n = 0; n < 3000; n++) {
      fake.put(collections.Pod, object("Pod", `web-${n}`, { namespace: "shop", labels: { n: String(n) } }));
    }
    agentsPort = await freePort();
    product = await startProduct({ command: "serve", data: join(folder, "server"), agentsPort });
    stack.defer(async () => product[Symbol.asyncDispose]());
    api = await product.api();
  });
  after(async () => stack.disposeAsync());

  /** In a folder of its own, which is what a pod without a volume begins with. */
  function collector(
    token: string,
    cluster = "east",
    name = cluster,
    yaml = "agent: { kubernetes: { identitySecret: bulwark/collector } }\n",
  ) {
    const kubeconfig = join(folder, "kubeconfig");
    const user = { name: "u", user: { token: "t" } };
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        ...{ "current-context": "c", contexts: [{ name: "c", context: { cluster: "c", user: "u" } }] },
        ...{ clusters: [{ name: "c", cluster: { server: fake.url } }], users: [user] },
      }),
    );
    const config = join(folder, `${name}.yaml`);
    writeFileSync(config, yaml);
    const flags = ["--server", product.agentsUrl, "--cluster", cluster, "--kubeconfig", kubeconfig];
    const child = spawn(bulwark, ["cluster", "--config", config, "--data", join(folder, name), ...flags], {
      env: { ...process.env, BULWARK_JOIN_TOKEN: token, BULWARK_LOG: "warn" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    return {
      output: () => text,
      async [Symbol.asyncDispose]() {
        child.kill("SIGTERM");
        await ended;
      },
    };
  }
  const token = (cluster: string): string =>
    run(bulwark, ["join", "--any", "--cluster", cluster, "--data", product.data]).trim();
  const east = async (): Promise<ClusterRow | undefined> =>
    (await api.listClusters()).items.find(({ name }) => name === "east");
  const pods = async (selector: string): Promise<string[]> =>
    (await api.listKubeObjects({ query: { cluster: "east", selector, limit: 100 } })).items.map(({ name }) => name);

  test("joins with a token, is there with all its pods, and follows", async () => {
    const eastToken = token("east");
    await using first = collector(eastToken);
    const row = await eventually(
      "the cluster is there",
      async () => {
        const found = await east();
        return found?.state === "ok" && found.syncedAt !== null ? found : undefined;
      },
      60_000,
    ).catch((error: unknown) => assert.fail(`${String(error)}\n${first.output()}`));
    assert.equal(row.version, "v1.36.3");
    assert.equal(row.objects["Pod"], 3000);
    assert.deepEqual(await pods("n=2999"), ["web-2999"]);

    const { policies, looks } = await api.previewPolicies({ body: { text: ownImages } });
    const { objects, problems } = looks[0] ?? {};
    assert.deepEqual([objects, problems], [3000, []], "each is judged by the whole object that its collector told");
    const { judged = 0, denied = 0, dropped = 0 } = policies[0] ?? {};
    assert.deepEqual([judged, denied + dropped], [3000, 3000]);

    fake.put(collections.Pod, object("Pod", "web-7", { namespace: "shop", labels: { fresh: "yes" } }));
    await eventually("a label is known", async () => ((await pods("fresh=yes")).length === 1 ? true : undefined));

    await using second = collector(eastToken, "east", "second");
    await eventually(
      "a second one is told that there is one",
      () => second.output().includes("another collector") || undefined,
    );
    const part = (await api.getHealth()).components.find(({ node }) => node === "cluster:east");
    assert.equal(part?.state, "ok", "the health page tells of it");
    assert.deepEqual((await api.getCluster({ params: { id: "east" } })).coverage, [], "a collector is no node");
  });

  test("goes on where it was when the server comes back, and when it is itself another pod", async () => {
    await using _ = collector("");
    fake.put(collections.Pod, object("Pod", "away-1", { namespace: "shop", labels: { away: "yes" } }));
    await eventually(
      "its Secret was enough",
      async () => ((await pods("away=yes")).length === 1 ? true : undefined),
      40_000,
    );
    await product[Symbol.asyncDispose]();
    fake.put(collections.Pod, object("Pod", "away-2", { namespace: "shop", labels: { away: "yes" } }));
    fake.remove(collections.Pod, "uid-away-1");
    product = await startProduct({ command: "serve", data: join(folder, "server"), agentsPort });
    api = await product.api();
    await eventually(
      "what happened in the meantime is known",
      async () => ((await pods("away=yes")).join() === "away-2" ? true : undefined),
      40_000,
    );
    await api.forgetCluster({ params: { id: "east" } });
    await eventually(
      "what was forgotten is told again",
      async () => ((await east())?.objects["Pod"] === 3001 ? true : undefined),
      60_000,
    );
  });

  test("has the rights that the chart gives, and needs no other", { skip: missing("go") }, async () => {
    const values = ["central.servers={https://elsewhere:8444}", "central.joinTokenSecret=token", "cluster.name=south"];
    const { objects } = readTexts([{ name: "chart", text: await template(...values) }]);
    const found = objects.map((manifest) => manifest.object as unknown as FakeObject);
    const own = found.filter(({ metadata }) => metadata.name === "bulwark-collector");
    const secret = own.find(({ kind }) => kind === "Secret");
    const map = own.find(({ kind }) => kind === "ConfigMap");
    assert.ok(secret && map);
    const { graph, refused } = { graph: createGraph(found), refused: [] as string[] };
    fake.put("/api/v1/secrets", { ...secret, metadata: { ...secret.metadata, uid: "uid-secret" } });
    fake.authorize(({ name, ...request }) => {
      const grants = graph.whoCan(name === undefined ? request : { ...request, name });
      const isAllowed = grants.some(({ subject }) => subject.name === "bulwark-collector");
      if (!isAllowed) refused.push(JSON.stringify({ name, ...request }));
      return isAllowed;
    });
    const yaml = (map["data"] as Record<string, string>)["bulwark.yaml"];
    await using running = collector(token("south"), "south", "south", yaml);
    const south = await eventually(
      "the cluster is there",
      async () => {
        const row = (await api.listClusters()).items.find(({ name }) => name === "south");
        return row && row.syncedAt !== null ? row : undefined;
      },
      60_000,
    ).catch((error: unknown) => assert.fail(`${String(error)}\n${running.output()}`));
    assert.deepEqual([south.state, south.reason, refused], ["ok", "", []]);
  });

  test("a token of one cluster lets none in as another, and the agent of a node tells of no cluster", async () => {
    fake.authorize(() => true);
    await using stranger = collector(token("north"), "east", "stranger");
    await eventually("it is refused", () => stranger.output().includes("for another cluster") || undefined);
    const held = await joinAgent(product.agentsUrl, token("north"), "node-1");
    const answer = await held.post("/api/agent/v1/cluster", { session: "s", changes: [] });
    assert.equal(answer.status, 403);
  });
});
