/** The chart in a cluster whose server is elsewhere: agents and collector. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Client } from "@bulwark/contract";
import { eventually, freePort, run } from "@bulwark/testkit";
import { hostAddress } from "../cluster/network.ts";
import { bulwark, startProduct, type Product } from "../product.ts";
import { chartRights, namespace } from "./accounts.ts";
import type { ApiServer } from "./audit-log.ts";
import { agentsWatch, chart, podOf, pushImages, reverseShell, rollout } from "./installed.ts";
import { responseTests } from "./response.ts";

export function elsewhereTests(there: ApiServer): void {
  const own = new AsyncDisposableStack();
  const release = "east";
  const parts = ["daemonset/east-bulwark-agent", "deployment/east-bulwark-collector"] as const;
  let product: Product;
  let api: Client;

  before(async () => {
    const address = hostAddress(there.cluster.network);
    const agents = { address, port: await freePort(address) };
    product = own.use(await startProduct({ command: "serve", config: JSON.stringify({ server: { agents } }) }));
    api = await product.api();
    pushImages(there.cluster);
    const token = run(bulwark, ["join", "--any", "--cluster", "east", "--data", product.data]).trim();
    there.cluster.kubectl("create", "namespace", release);
    there.cluster.kubectl(
      "-n",
      release,
      "create",
      "secret",
      "generic",
      "bulwark-join",
      `--from-literal=token=${token}`,
    );
    const values = {
      "image.registry": there.cluster.registry.name,
      "cluster.name": "east",
      "central.servers": `{https://${address}:${agents.port}}`,
      "central.joinTokenSecret": "bulwark-join",
      "agent.config.agent.response.kubernetes": "true",
    };
    const set = Object.entries(values).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
    there.cluster.helm("install", release, chart, "--namespace", release, ...set);
    for (const part of parts) rollout(there.cluster, release, part);
  });
  after(async () => {
    there.cluster.helm("uninstall", release, "--namespace", release, "--wait");
    await own.disposeAsync();
  });

  test("agents and collector join it: the cluster with its pods, and a shell in one of them", async () => {
    await agentsWatch(api, [{ name: "east/node-1" }]);
    await eventually(
      "the cluster is known",
      async () => {
        const row = (await api.listClusters()).items.find(({ name }) => name === "east");
        if (row?.state === "ok" && row.syncedAt !== null) return row;
        throw new Error(JSON.stringify(row));
      },
      60_000,
    );
    const { items } = await api.listKubeObjects({ query: { cluster: "east", selector: "app=web", limit: 10 } });
    const pod = podOf(there.cluster, namespace, "app=web");
    assert.ok(items.some(({ uid }) => uid === pod.uid));
    there.cluster.kubectl("exec", "-n", namespace, pod.name, "--", "sh", "-c", reverseShell);
    const alert = await eventually(
      "the alert is there",
      async () => {
        const told = await api.listAlerts({ query: { rule: "reverse-shell", limit: 100 } });
        return told.items.find(({ container }) => container?.pod?.uid === pod.uid);
      },
      60_000,
    );
    assert.equal(alert.node, "east/node-1");
    const { labels, owners = [] } = alert.container?.pod?.metadata ?? {};
    assert.equal(labels?.["app"], "web");
    assert.deepEqual(
      owners.map(({ kind }) => kind),
      ["ReplicaSet", "Deployment"],
    );
  });

  responseTests(there, {
    role: `${release}-bulwark-agent`,
    get api() {
      return api;
    },
  });

  test("the collector says which right to its own secret it lacks", async () => {
    const { own: rules } = await chartRights(
      "collector",
      "central.servers={https://elsewhere:8444}",
      "central.joinTokenSecret=token",
      "cluster.name=east",
    );
    const [rule, ...others] = rules;
    assert.deepEqual([rule?.verbs, others], [["get", "patch"], []]);
    for (const verb of rule?.verbs ?? []) {
      const left = JSON.stringify([
        { op: "replace", path: "/rules/0/verbs", value: rule?.verbs.filter((it) => it !== verb) },
      ]);
      there.cluster.kubectl("-n", release, "patch", "role", "east-bulwark-collector", "--type=json", `--patch=${left}`);
      // As before its first start.
      there.cluster.kubectl("-n", release, "patch", "secret", "east-bulwark-collector", '--patch={"data":null}');
      there.cluster.kubectl("-n", release, "rollout", "restart", parts[1]);
      await eventually(
        `it may not ${verb}`,
        () => {
          const said = there.cluster.kubectl("-n", release, "logs", "-l", "app.kubernetes.io/component=collector");
          if (said.includes(`cannot ${verb} resource \\"secrets\\"`)) return true;
          throw new Error(said);
        },
        60_000,
      );
    }
  });
}
