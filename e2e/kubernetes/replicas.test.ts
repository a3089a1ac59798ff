/** The chart with two replicas on PostgreSQL and NATS: what one server does, while a replica is killed. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Client } from "@bulwark/contract";
import { eventually, missing, startNats, startPostgres } from "@bulwark/testkit";
import { startCluster, type Cluster } from "../cluster/cluster.ts";
import { hostAddress } from "../cluster/network.ts";
import { kill } from "../cluster/processes.ts";
import { agentsWatch, execOnNode, install, podOf, pushImages, reverseShell, type Installed } from "./installed.ts";
import { shop } from "./objects.ts";
import { permissionsOf, without } from "./permissions.ts";

const skip = missing("cluster", "bpf", "clang", "postgresql", "nats");
const namespace = "security";

describe("Bulwark on Kubernetes, two replicas", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let cluster: Cluster;
  let bulwark: Installed;
  let api: Client;

  before(async () => {
    cluster = stack.use(await startCluster());
    pushImages(cluster);
    const address = hostAddress(cluster.network);
    const postgres = stack.use(await startPostgres({ address }));
    const nats = stack.use(await startNats({ address }));
    cluster.apply(...shop("node-2"));
    const values = { server: { replicas: 2 }, database: { url: postgres.url }, nats: { url: nats.url } };
    bulwark = install(cluster, values, namespace);
    api = await bulwark.api();
    await agentsWatch(api, cluster.nodes);
  });
  after(async () => stack.disposeAsync());

  const shells = async (): Promise<number> => {
    const { items } = await again(async () => api.listAlerts({ query: { rule: "reverse-shell", limit: 500 } }));
    return items.length;
  };

  test("a replica is killed under attack: every alert arrives, once, and the live page goes on at the other", async () => {
    const pod = podOf(cluster, "shop", "app=checkout");
    const delays: number[] = [];
    const attacks = 6;
    for (let n = 0; n < attacks; n++) {
      if (n === 2) kill(cluster.pidOf(namespace, "bulwark-server-0", "server"), "SIGKILL");
      execOnNode(pod.node, pod.container, reverseShell);
      await eventually("it is told", async () => ((await shells()) === n + 1 ? true : undefined), 15_000);
      const { items } = await again(async () => api.listAlerts({ query: { rule: "reverse-shell", limit: 1 } }));
      const alert = items[0];
      assert.ok(alert);
      assert.equal(alert.container?.pod?.metadata?.owners.at(-1)?.name, "checkout");
      delays.push(alert.receivedAt - alert.time);
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const arrived = await shells();
    const sorted = delays.toSorted((a, b) => a - b);
    console.log(`replica killed: sent ${attacks}, arrived ${arrived}, kernel to database ${sorted.join(", ")} ms`);
    assert.equal(arrived, attacks);
    assert.ok((sorted.at(-1) ?? 0) < 10_000, "an agent moved on within ten seconds");
    assert.ok((sorted[attacks - 2] ?? 0) < 2000, "all others within two");
  });

  test("each permission is needed: without it the health page names what is lacking", async () => {
    const needed = permissionsOf(cluster, "bulwark-server").filter(({ verbs }) => verbs.includes("list"));
    const resources = needed.flatMap((rule) => rule.resources);
    assert.ok(resources.length >= 20, resources.join(" "));
    // What a watch was let in for goes on until it ends: each half is taken away, and read anew by new servers.
    for (const half of [resources.slice(0, 12), resources.slice(12)]) {
      await using taken = without(cluster, "bulwark-server", half);
      restart();
      await eventually(
        "each is named",
        async () => {
          const { components } = await again(async () => api.getHealth());
          const said = components
            .filter(({ id }) => id === "cluster:default")
            .map(({ reason }) => reason)
            .join();
          const silent = half.filter((resource) => !said.includes(resource));
          if (silent.length > 0) throw new Error(`not named: ${silent.join(" ")} in ${said}`);
          return true;
        },
        60_000,
      );
      assert.deepEqual(taken.resources, half);
    }
    restart();
    await eventually(
      "all is well again",
      async () => {
        const { components } = await again(async () => api.getHealth());
        return (
          components.some(
            ({ id, state, summary }) => id === "cluster:default" && state === "ok" && /taken in/.test(summary),
          ) || undefined
        );
      },
      60_000,
    );
  });

  function restart(): void {
    cluster.kubectl(
      "delete",
      "pods",
      "-n",
      namespace,
      "-l",
      "app.kubernetes.io/component=server",
      "--force",
      "--grace-period=0",
    );
    cluster.kubectl("rollout", "status", "-n", namespace, "statefulset/bulwark-server", "--timeout=110s");
  }
});

/** Once more where the replica that was asked has just gone. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  return eventually("a replica answers", ask, 15_000);
}
