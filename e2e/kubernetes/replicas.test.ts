/** Two servers on PostgreSQL and NATS: what a person sees, and what is counted, while one of them is killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { availableParallelism, loadavg } from "node:os";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@bulwark/contract";
import type { StoredAlert } from "@bulwark/model";
import { eventually, missing, run, startNats, startPostgres } from "@bulwark/testkit";
import type { BrowserContext } from "playwright-core";
import { openBrowser } from "../browser.ts";
import { startCluster, type Cluster } from "../cluster/cluster.ts";
import { hostAddress } from "../cluster/network.ts";
import { agentsWatch, install, podOf, pushImages, reverseShell, type Installed } from "./installed.ts";
import { shop } from "./objects.ts";
import { detailOf, seenAt, watchAlerts } from "./page.ts";

const needs = missing("cluster", "bpf", "clang", "chromium", "postgresql", "nats");
/** Commands that each pod runs in a round. */
const perRound = 100;

describe("Bulwark on Kubernetes, two servers", { skip: needs }, () => {
  const stack = new AsyncDisposableStack();
  let cluster: Cluster;
  let bulwark: Installed;
  let pods: Pod[];

  before(async () => {
    cluster = stack.use(await startCluster());
    const address = hostAddress(cluster.network);
    const postgres = stack.use(await startPostgres({ address }));
    const nats = stack.use(await startNats({ address }));
    pushImages(cluster);
    cluster.apply(...shop("node-1", "stock"), ...shop("node-2", "checkout"));
    bulwark = install(cluster, {
      server: { replicas: 2 },
      database: { url: postgres.url },
      nats: { url: nats.url },
    });
    await agentsWatch(await bulwark.api(), cluster.nodes);
    pods = ["checkout", "stock"].map((name) => ({ workload: name, ...podOf(cluster, "shop", `app=${name}`) }));
  });
  after(async () => stack.disposeAsync());

  test("one is killed while events flow and a shell connects: told within two seconds, and all of it once", async () => {
    const { context } = stack.use(await openBrowser());
    const rounds: Round[] = [];
    // What is counted must be right in every round. Seconds get a second one, and say nothing of the product on a machine
    // that is given to others.
    for (const [index, victim] of pods.entries()) {
      rounds.push(await round(victim, index * perRound, context));
      if (rounds.some(isInTime)) return;
    }
    const busy = loadavg()[0] ?? 0;
    const told = rounds.map((times) => JSON.stringify(times)).join(", ");
    assert.ok(busy > 4 * availableParallelism(), `not in time, in milliseconds: ${told}`);
    console.log(`not judged by time, for the machine is given to others (load ${busy}): ${told}`);
  });

  /**
   * Kills the server to which the agent of a pod is connected, and attacks that pod at once, while all pods run numbered
   * commands.
   */
  async function round(victim: Pod, from: number, browser: BrowserContext): Promise<Round> {
    const killed = serverOf(victim.node.name);
    const [gone, left] = [bulwark.replica(killed), bulwark.replica(1 - killed)];
    const api = await left.api();
    const page = await browser.newPage();
    await watchAlerts(page, left);
    // This one is at whichever server the service has given it.
    const other = await browser.newPage();
    await watchAlerts(other, bulwark);
    assert.equal(await page.getByRole("row").filter({ hasText: victim.name }).count(), 0);

    const end = from + perRound;
    const working = pods.map(async ({ name }) =>
      inPod(name, `i=${from}; while [ $i -lt ${end} ]; do /bin/echo ${name}-$i; usleep 40000; i=$((i+1)); done`),
    );
    await arrives(api, ({ number }) => number >= from);
    const seen = Promise.all([seenAt(page, victim.name), seenAt(other, victim.name)]);
    const pid = cluster.pidOf(bulwark.namespace, gone.pod);
    const killedAt = Date.now();
    process.kill(pid, "SIGKILL");
    const attacking = inPod(victim.name, reverseShell);
    await arrives(api, ({ time }) => time > killedAt);
    const moved = Date.now() - killedAt;
    const [here, there] = await seen;
    const [alert] = await shells(api, victim);
    assert.ok(alert);
    const times = { moved, here: here - alert.time, there: there - alert.time };
    console.log(`a server killed: its agents are at the other after ${moved} ms`);
    console.log(`a shell meanwhile: ${times.here} ms to a page at the other, ${times.there} ms to one at the service`);

    const text = await detailOf(page, victim.name, `Deployment/${victim.workload}`);
    for (const word of [
      ...[`shop/${victim.name}`, victim.node.name, "registry.test/busybox:1", "team=blue", "127.0.0.1:4444"],
      ...["/bin/busybox", "T1059.004", victim.container],
    ]) {
      assert.ok(text.includes(word), `${word} is not in\n${text}`);
    }
    await Promise.all([page.close(), other.close(), attacking, ...working]);
    for (const pod of pods) await allArrived(api, pod, end);
    assert.equal((await shells(api, victim)).length, 1);
    await allIsWell(api);
    return times;
  }

  /**
   * The index of the server to which the agent of a node brings its records. It asks for orders on a connection of its
   * own, which may be at the other one and carries less.
   */
  function serverOf(node: string): number {
    const where = ["-l", "app.kubernetes.io/component=agent", `--field-selector=spec.nodeName=${node}`];
    const agent = cluster.kubectl("get", "pods", "-n", bulwark.namespace, ...where, "-o", "jsonpath={..podIP}").trim();
    const received = [0, 1].map((index) => {
      const pid = cluster.pidOf(bulwark.namespace, `bulwark-server-${index}`);
      const sockets = ["ss", "-HOnti", "state", "established", "sport = :8444"];
      const lines = run("nsenter", [`--net=/proc/${pid}/ns/net`, ...sockets]).split("\n");
      const bytes = lines
        .filter((line) => line.includes(`${agent}:`))
        .map((line) => /bytes_received:(\d+)/.exec(line)?.[1]);
      return bytes.reduce((sum, count) => sum + Number(count ?? 0), 0);
    });
    assert.ok(Math.max(...received) > 0, `the agent of ${node} is connected to no server`);
    return received.indexOf(Math.max(...received));
  }

  /** Runs a script in a pod, and leaves this process free meanwhile. */
  async function inPod(pod: string, script: string): Promise<void> {
    const args = ["kubectl", "--kubeconfig", cluster.kubeconfig, "exec", "-n", "shop", pod, "--", "sh", "-c", script];
    const child = spawn(cluster.programs.kubernetes, args, { stdio: "ignore" });
    assert.equal(await new Promise((resolve) => child.once("exit", resolve)), 0);
  }

  /** Alerts of a pod. The other node's sensor sees the same kernel, and tells of what it cannot attribute. */
  async function shells(api: Client, { uid }: Pod): Promise<StoredAlert[]> {
    const { items } = await api.listAlerts({ query: { rule: "reverse-shell", limit: 100 } });
    return items.filter(({ container }) => container?.pod?.uid === uid);
  }

  /** What the database has of the numbered commands of a pod. */
  async function arrived(api: Client, { name, container }: Pod): Promise<Arrived[]> {
    const { items } = await api.listEvents({ query: { q: `/bin/echo ${name}-`, kind: "exec", container, limit: 500 } });
    return items.flatMap((item) => {
      const word = item.kind === "exec" && item.process.arguments.find((it) => it.startsWith(`${name}-`));
      return word ? [{ id: item.id, time: item.time, number: Number(word.split("-").at(-1)) }] : [];
    });
  }

  /** Waits until such a command of each pod is in the database. */
  async function arrives(api: Client, isOne: (event: Arrived) => boolean): Promise<void> {
    await eventually(
      "events arrive from every node",
      async () => {
        await sleep(200);
        const all = await Promise.all(pods.map(async (pod) => arrived(api, pod)));
        return all.every((events) => events.some(isOne)) || undefined;
      },
      60_000,
    );
  }

  /** Commands 0 to `end` of a pod, each once. */
  async function allArrived(api: Client, pod: Pod, end: number): Promise<void> {
    const found = await eventually(
      "all has arrived",
      async () => {
        await sleep(200);
        const all = await arrived(api, pod);
        if (all.length < end) throw new Error(`${all.length} of ${end}`);
        return all;
      },
      60_000,
    );
    const distinct = new Set(found.map(({ number }) => number)).size;
    console.log(`${pod.node.name}: sent ${end}, arrived ${distinct}, twice ${found.length - distinct}`);
    assert.equal(distinct, end);
    assert.equal(found.length, end);
    assert.equal(new Set(found.map(({ id }) => id)).size, end);
  }

  /** The server that was killed is back by itself, and no agent has lost anything. */
  async function allIsWell(api: Client): Promise<void> {
    const components = await eventually(
      "both servers are well",
      async () => {
        const all = (await api.getHealth()).components;
        const servers = [0, 1].map((n) =>
          all.find(({ node, id }) => node === `server/bulwark-server-${n}` && id === "api"),
        );
        return servers.every((part) => part?.state === "ok") ? all : undefined;
      },
      60_000,
    );
    const spools = components.filter(({ id }) => id === "spool");
    assert.equal(spools.length, cluster.nodes.length);
    for (const { node, counters } of spools) {
      const lost = Object.entries(counters).filter(([what, count]) => what.startsWith("lost.") && count > 0);
      assert.deepEqual(lost, [], node);
    }
    cluster.ready(["-l", "app.kubernetes.io/component=server"], { namespace: bulwark.namespace });
  }
});

type Pod = ReturnType<typeof podOf> & { workload: string };

/** Milliseconds. */
interface Round {
  /** Until events of every node arrive at the other server. */
  moved: number;
  /** From the kernel to a page at the server that stays, and to one that the service leads somewhere. */
  here: number;
  there: number;
}

function isInTime({ moved, here, there }: Round): boolean {
  return moved < 10_000 && here < 2000 && there < 10_000;
}

interface Arrived {
  id: string;
  /** When it was seen on its node. */
  time: number;
  number: number;
}
