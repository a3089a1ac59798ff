/** Two servers on PostgreSQL and NATS: what a person sees, and what is counted, while one of them is killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { Client } from "@bulwark/contract";
import { eventually, missing, run, startNats, startPostgres } from "@bulwark/testkit";
import { openBrowser } from "../browser.ts";
import { startCluster, type Cluster } from "../cluster/cluster.ts";
import { hostAddress } from "../cluster/network.ts";
import { agentsWatch, install, podOf, pushImages, reverseShell, type Installed } from "./installed.ts";
import { shop } from "./objects.ts";
import { detailOf, seenAt, watchAlerts } from "./page.ts";

const needs = missing("cluster", "bpf", "clang", "chromium", "postgresql", "nats");
/** One on each node. */
const workloads = ["checkout", "stock"];
/** Commands of each pod. */
const total = 240;

describe("Bulwark on Kubernetes, two servers", { skip: needs }, () => {
  const stack = new AsyncDisposableStack();
  let cluster: Cluster;
  let bulwark: Installed;

  before(async () => {
    cluster = stack.use(await startCluster());
    const address = hostAddress(cluster.network);
    const postgres = stack.use(await startPostgres({ address }));
    const nats = stack.use(await startNats({ address }));
    pushImages(cluster);
    for (const [index, name] of workloads.entries()) cluster.apply(...shop(`node-${2 - index}`, name));
    bulwark = install(cluster, {
      server: { replicas: 2 },
      database: { url: postgres.url },
      nats: { url: nats.url },
    });
  });
  after(async () => stack.disposeAsync());

  /** The index of the server to which the agent of a node is connected. */
  function serverOf(node: string): number {
    const [agent] = agentsOn(node);
    const connected = [0, 1].filter((index) => {
      const pid = cluster.pidOf(bulwark.namespace, `bulwark-server-${index}`);
      const peers = run("nsenter", [
        `--net=/proc/${pid}/ns/net`,
        "ss",
        "-Hnt",
        "state",
        "established",
        "sport = :8444",
      ]);
      return peers.includes(`${agent?.status.podIP}:`);
    });
    assert.equal(connected.length, 1, `the agent of ${node} is connected to ${connected.length} servers`);
    return connected[0] ?? 0;
  }
  function agentsOn(node: string): { status: { podIP: string } }[] {
    const where = ["-l", "app.kubernetes.io/component=agent", `--field-selector=spec.nodeName=${node}`];
    const text = cluster.kubectl("get", "pods", "-n", bulwark.namespace, ...where, "-o", "json");
    return (JSON.parse(text) as { items: { status: { podIP: string } }[] }).items;
  }
  /** Runs a script in a pod, and leaves this process free meanwhile. */
  async function inPod(pod: string, script: string): Promise<void> {
    const args = ["kubectl", "--kubeconfig", cluster.kubeconfig, "exec", "-n", "shop", pod, "--", "sh", "-c", script];
    const child = spawn(cluster.programs.kubernetes, args, { stdio: "ignore" });
    assert.equal(await new Promise((resolve) => child.once("exit", resolve)), 0);
  }
  /** What the database has of the numbered commands of a pod. */
  async function arrived(api: Client, { name, container }: Pod): Promise<Arrived[]> {
    const query = { q: `/bin/echo ${name}-`, kind: "exec", container, limit: 500 } as const;
    const { items } = await api.listEvents({ query });
    return items.flatMap((item) => {
      const word = item.kind === "exec" && item.process.arguments.find((it) => it.startsWith(`${name}-`));
      return word ? [{ id: item.id, time: item.time, number: Number(word.split("-").at(-1)) }] : [];
    });
  }

  test("one is killed while events flow and a shell connects: told within two seconds, all of it, once", async () => {
    await agentsWatch(await bulwark.api(), cluster.nodes);
    const pods = workloads.map((name) => podOf(cluster, "shop", `app=${name}`));
    const [victim] = pods;
    assert.ok(victim);
    const killed = serverOf(victim.node.name);
    const [gone, left] = [bulwark.replica(killed), bulwark.replica(1 - killed)];
    const api = await left.api();
    const { context, page } = stack.use(await openBrowser());
    await watchAlerts(page, left);
    // This one is at whichever server the service has given it.
    const other = await context.newPage();
    await watchAlerts(other, bulwark);
    assert.equal(await page.getByRole("row").filter({ hasText: victim.name }).count(), 0);

    const working = pods.map(async ({ name }) =>
      inPod(name, `i=0; while [ $i -lt ${total} ]; do /bin/echo ${name}-$i; usleep 15000; i=$((i+1)); done`),
    );
    await eventually(
      "events flow from both",
      async () => {
        const counts = await Promise.all(pods.map(async (pod) => (await arrived(api, pod)).length));
        return counts.every((count) => count > 0) || undefined;
      },
      60_000,
    );
    const seen = [seenAt(page, victim.name), seenAt(other, victim.name)];
    const pid = cluster.pidOf(bulwark.namespace, gone.pod);
    const killedAt = Date.now();
    process.kill(pid, "SIGKILL");
    const attack = inPod(victim.name, reverseShell);
    const moved = await eventually(
      "both agents are at the other",
      async () => {
        const newest = await Promise.all(
          pods.map(async (pod) => (await arrived(api, pod)).some(({ time }) => time > killedAt)),
        );
        return newest.every(Boolean) ? Date.now() - killedAt : undefined;
      },
      30_000,
    );
    console.log(`a server killed: both agents are at the other after ${moved} ms`);
    assert.ok(moved < 10_000, `${moved} ms`);

    const [here, there] = await Promise.all(seen);
    const alerts = (await api.listAlerts({ query: { rule: "reverse-shell", limit: 100 } })).items;
    const [alert] = alerts;
    assert.ok(alert && here !== undefined && there !== undefined);
    console.log(
      `reverse shell meanwhile: ${here - alert.time} ms to a page at the other, ${there - alert.time} ms to a page at the service`,
    );
    assert.ok(here - alert.time < 2000, `${here - alert.time} ms`);
    assert.ok(there - alert.time < 10_000, `${there - alert.time} ms`);
    assert.equal(alert.container?.pod?.uid, victim.uid);
    const text = await detailOf(page, victim.name, "Deployment/checkout");
    for (const word of [
      ...[
        `shop/${victim.name}`,
        victim.node.name,
        "registry.test/busybox:1",
        "team=blue",
        "127.0.0.1:4444",
        "/bin/busybox",
      ],
      ...["containerd-shim", "T1059.004", victim.container],
    ]) {
      assert.ok(text.includes(word), `${word} is not in\n${text}`);
    }

    await Promise.all([...working, attack]);
    for (const pod of pods) {
      const told = await eventually(
        "all has arrived",
        async () => {
          const found = await arrived(api, pod);
          if (found.length < total) throw new Error(`${found.length} of ${total}`);
          return found;
        },
        30_000,
      );
      const [numbers, ids] = [told.map(({ number }) => number), told.map(({ id }) => id)];
      console.log(
        `${pod.node.name}: sent ${total}, arrived ${new Set(numbers).size}, twice ${numbers.length - new Set(numbers).size}`,
      );
      assert.deepEqual(
        numbers.toSorted((a, b) => a - b),
        Array.from({ length: total }, (_, number) => number),
      );
      assert.equal(new Set(ids).size, ids.length);
    }
    assert.equal((await api.listAlerts({ query: { rule: "reverse-shell", limit: 100 } })).items.length, 1);

    // The one that was killed is back by itself, and nobody has lost anything.
    await eventually(
      "both servers are well",
      async () => {
        const { components } = await api.getHealth();
        const parts = [gone, left].map(({ pod }) =>
          components.find(({ node, id }) => node === `server/${pod}` && id === "api"),
        );
        return parts.every((part) => part?.state === "ok") || undefined;
      },
      60_000,
    );
    const { components } = await api.getHealth();
    for (const { name } of cluster.nodes) {
      const spool = components.find(({ node, id }) => node === name && id === "spool");
      const lost = Object.entries(spool?.counters ?? {}).filter(
        ([what, count]) => what.startsWith("lost.") && count > 0,
      );
      assert.deepEqual(lost, []);
      assert.ok(spool);
    }
  });
});

type Pod = ReturnType<typeof podOf>;

interface Arrived {
  id: string;
  /** When it was seen on its node. */
  time: number;
  number: number;
}
