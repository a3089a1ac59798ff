/** `helm install` with no value set but where the images are: what it gives, and its bad days. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import type { Client } from "@bulwark/contract";
import type { StoredAlert } from "@bulwark/model";
import { eventually, missing } from "@bulwark/testkit";
import { openBrowser } from "../browser.ts";
import { startCluster, type Cluster } from "../cluster/cluster.ts";
import {
  agentsWatch,
  execOnNode,
  install,
  noneRestarted,
  objectsOf,
  podOf,
  podsOf,
  pushImages,
  reverseShell,
  type Installed,
} from "./installed.ts";
import { here, says } from "../runtime/perform.ts";
import { escapes } from "../runtime/escape.ts";
import { reverseShells } from "../runtime/reverse-shell.ts";
import { runIn } from "../runtime/entrance.ts";
import { brief, ordinary, powerful, shop } from "./objects.ts";
import { detailOf, seenAt, watchAlerts } from "./page.ts";

describe("Bulwark on Kubernetes, one server", { skip: missing("cluster", "bpf", "clang", "chromium") }, () => {
  const stack = new AsyncDisposableStack();
  let cluster: Cluster;
  let bulwark: Installed;
  let api: Client;

  before(async () => {
    cluster = stack.use(await startCluster());
    pushImages(cluster);
    cluster.apply(...shop("node-2"));
  });
  after(async () => stack.disposeAsync());

  /** Something in a pod that is told. */
  const tell = (pod: string): void => {
    assert.throws(() => cluster.kubectl("exec", "-n", "shop", pod, "--", "mount", "-t", "cgroup", "x", "/tmp"));
  };
  const alertsOf = async (name: string): Promise<StoredAlert[]> => {
    const { items } = await api.listAlerts({ query: { rule: "reverse-shell", limit: 500 } });
    return items.filter(({ container }) => container?.pod?.name === name);
  };

  test("one command gives server, console and an agent on every node, and the whole cluster is known", async () => {
    const began = Date.now();
    bulwark = install(cluster);
    api = await bulwark.api();
    await agentsWatch(api, cluster.nodes);
    const known = await eventually(
      "the cluster is known",
      async () => {
        const { components } = await api.getHealth();
        const part = components.find(({ id }) => id === "cluster:default");
        if (part?.state !== "ok") throw new Error(part?.reason);
        const pods = await api.listKubeObjects({ query: { cluster: "default", kind: "Pod", limit: 100 } });
        return pods.items.some(({ name }) => name.startsWith("checkout-")) ? pods.items : undefined;
      },
      30_000,
    );
    console.log(`helm install to agents that watch: ${Date.now() - began} ms, ${known.length} pods known`);
  });

  test("a reverse shell in a pod is in the console within two seconds, with all that it belongs to", async () => {
    const { page } = stack.use(await openBrowser());
    await watchAlerts(page, bulwark);
    const pod = podOf(cluster, "shop", "app=checkout");
    const row = page.getByRole("row").filter({ hasText: pod.name });
    assert.equal(await row.count(), 0);
    const seen = seenAt(page, pod.name);
    await new Promise((resolve) => setTimeout(resolve, 300));
    cluster.kubectl("exec", "-n", "shop", pod.name, "--", "sh", "-c", reverseShell);
    await row.first().waitFor({ timeout: 10_000 });
    const [alert, ...more] = await alertsOf(pod.name);
    assert.ok(alert);
    assert.deepEqual(more, []);
    const delay = (await seen) - alert.time;
    console.log(`reverse shell in a pod: ${delay} ms from the kernel to the page`);
    assert.ok(delay < 2000, `${delay} ms`);

    assert.equal(alert.node, "node-2");
    assert.equal(alert.container?.id, pod.container);
    assert.equal(alert.container.pod?.uid, pod.uid);
    assert.deepEqual(
      alert.container.pod.metadata?.owners.map(({ kind }) => kind),
      ["ReplicaSet", "Deployment"],
    );
    const text = await detailOf(page, pod.name, "Deployment/checkout");
    for (const word of [
      ...[`shop/${pod.name}`, "node-2", "registry.test/busybox:1", "team=blue", "127.0.0.1:4444", "/bin/busybox"],
      ...["T1059.004", pod.container],
    ]) {
      assert.ok(text.includes(word), `${word} is not in\n${text}`);
    }
  });

  test("pods that start, their probes, and what a person does in them raise nothing", async () => {
    // By when it happened: the other node's agent tells of what was before two seconds later, as of a container it never finds.
    const began = Date.now();
    cluster.apply(ordinary());
    cluster.kubectl("rollout", "status", "-n", "shop", "deployment/site", "--timeout=110s");
    const pods = podsOf(cluster, "shop", "app=site");
    assert.equal(pods.length, 5);
    const [pod] = pods;
    assert.ok(pod);
    cluster.kubectl("exec", "-n", "shop", pod.name, "--", "sh", "-c", "ls /; id; ps; cat /etc/site/ca.crt | wc");
    const there = join(cluster.folder, "page.html");
    writeFileSync(there, "copied");
    cluster.kubectl("cp", there, `shop/${pod.name}:/cache/copied.html`);
    cluster.kubectl("cp", `shop/${pod.name}:/cache/copied.html`, `${there}.back`);
    assert.equal(readFileSync(`${there}.back`, "utf8"), "copied");
    assert.equal(await forwarded(cluster, pod.name, "/copied.html"), "copied");
    cluster.kubectl("logs", "-n", "shop", pod.name);
    // Behind all of that, something that is told on each node: then all before it was judged.
    const last = cluster.nodes.map(({ name }) => pods.find(({ node }) => node.name === name));
    for (const one of last) tell(one?.name ?? "");
    const told = await eventually("the last is told", async () => {
      const { items } = await api.listAlerts({ query: { limit: 500 } });
      const isTold = (name = ""): boolean => items.some(({ container }) => container?.pod?.name === name);
      return last.every((one) => isTold(one?.name)) ? items.filter(({ time }) => time >= began) : undefined;
    });
    const others = told.filter(
      ({ rule, process: by }) =>
        rule !== "host-file-system" &&
        // What serves the page is called busybox, as is a netcat.
        rule !== "network-tool-listens" &&
        // The nodes of the tests share a kernel, and so each agent sees the other one at work, its scans among that.
        by?.arguments.some((word) => word === "/usr/bin/bulwark" || word.startsWith("/opt/bulwark/")) !== true,
    );
    assert.deepEqual(
      others.map(({ rule, node, evidence, process: by }) => [rule, node, by?.arguments.join(" "), evidence]),
      [],
    );
    cluster.kubectl("delete", "deployment", "-n", "shop", "site", "--wait=false");
  });

  test("ways out of a pod, and a shell behind a pipe: each is told with pod, workload and labels", async () => {
    cluster.apply(powerful("node-1"));
    cluster.kubectl("rollout", "status", "-n", "shop", "deployment/debug", "--timeout=110s");
    for (const { technique, workload } of chosen) {
      const pod = podOf(cluster, "shop", `app=${workload}`);
      await runIn([
        ...kubectlOf(cluster),
        "exec",
        "-n",
        "shop",
        pod.name,
        "--",
        "sh",
        "-c",
        `mkdir -p /mnt; ${here(technique.script)}`,
      ]);
      for (const [rule, said] of Object.entries(technique.alerts ?? {})) {
        const alert = await eventually(
          technique.what,
          async () => {
            const { items } = await api.listAlerts({ query: { rule, limit: 500 } });
            return items.find((item) => item.container?.id === pod.container && says(item, said));
          },
          30_000,
        );
        const { name, uid, metadata } = alert.container?.pod ?? {};
        assert.deepEqual([alert.node, name, uid], [pod.node.name, pod.name, pod.uid], technique.what);
        assert.deepEqual([metadata?.labels["app"], metadata?.labels["team"]], [workload, "blue"], technique.what);
        assert.equal(metadata?.owners.at(-1)?.name, workload, technique.what);
      }
    }
  });

  test("a pod of two seconds, and three that take its name at once: each alert has its own pod and labels", async () => {
    const command = reverseShell.replace("sleep 3", "sleep 2");
    for (const round of ["1", "2", "3"]) {
      cluster.apply(brief("brief", { round }, command));
      await eventually(
        "it has ended",
        () => {
          const { status } = cluster.get("pod", "brief", "shop") as { status: { phase: string } };
          return status.phase === "Succeeded" || undefined;
        },
        60_000,
      );
      cluster.kubectl("delete", "pod", "brief", "-n", "shop", "--force", "--grace-period=0");
    }
    const alerts = await eventually("all three are told", async () => {
      const found = await alertsOf("brief");
      if (found.length < 3) throw new Error(`${found.length} alerts`);
      return found;
    });
    console.log(`three pods of one name: sent 3, arrived ${alerts.length}`);
    assert.equal(alerts.length, 3);
    assert.equal(new Set(alerts.map(({ container }) => container?.pod?.uid)).size, 3);
    const rounds = new Set(alerts.map(({ container }) => container?.pod?.metadata?.labels["round"]));
    assert.deepEqual(rounds, new Set(["1", "2", "3"]));
  });

  test("while the API server is away alerts come all the same, and afterwards the cluster is caught up with", async () => {
    const pod = podOf(cluster, "shop", "app=checkout");
    noneRestarted(cluster, bulwark.namespace);
    const before = (await alertsOf(pod.name)).length;
    await cluster.stop("kube-apiserver", "SIGKILL");
    execOnNode(pod.node, pod.container, reverseShell);
    const told = await eventually(
      "it is told",
      async () => {
        const found = await alertsOf(pod.name);
        if (found.length <= before) throw new Error(await seenIn(api, pod.container));
        return found;
      },
      30_000,
    );
    assert.equal(told.length, before + 1);
    assert.ok(told.every(({ container }) => container?.pod?.metadata?.labels["team"] === "blue"));
    await eventually("it is said that the API server is away", async () => {
      const { components } = await api.getHealth();
      return components.find(({ id }) => id === "cluster:default")?.state !== "ok" || undefined;
    });
    cluster.start("kube-apiserver");
    await eventually("the API server is back", () => cluster.kubectl("get", "--raw", "/readyz"), 60_000);
    cluster.kubectl("label", "pod", "-n", "shop", pod.name, "caught=up");
    await eventually(
      "the new label is known",
      async () => {
        const query = { cluster: "default", kind: "Pod", selector: "caught=up", limit: 10 };
        const { items } = await api.listKubeObjects({ query });
        return items.length === 1 || undefined;
      },
      90_000,
    );
  });

  test("a node whose cable is pulled keeps what it sees, and brings all of it", async () => {
    const pod = podOf(cluster, "shop", "app=checkout");
    cluster.link(2, "down");
    for (let n = 0; n < 20; n++) execOnNode(pod.node, pod.container, `/bin/echo away-${n}`);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const arrived = async (): Promise<string[]> => {
      const query = { q: "/bin/echo", kind: "exec", container: pod.container, limit: 500 } as const;
      const { items } = await api.listEvents({ query });
      return items
        .flatMap((item) => (item.kind === "exec" ? item.process.arguments : []))
        .filter((it) => it.startsWith("away-"));
    };
    assert.deepEqual(await arrived(), []);
    cluster.link(2, "up");
    const words = await eventually(
      "all are told",
      async () => {
        const found = await arrived();
        if (new Set(found).size < 20) throw new Error(`${found.length} arrived`);
        return found;
      },
      60_000,
    );
    console.log(`node away: sent 20, arrived ${new Set(words).size}, twice ${words.length - new Set(words).size}`);
    assert.equal(words.length, 20);
  });

  test("an upgrade keeps what there is, and agents come back by themselves", async () => {
    const pod = podOf(cluster, "shop", "app=checkout");
    const ids = async (): Promise<string[]> =>
      (await api.listAlerts({ query: { limit: 500 } })).items.map(({ id }) => id).toSorted();
    const certificates = async (): Promise<string[]> =>
      (await api.listAgents()).items.map(({ node, issuedAt }) => `${node} ${issuedAt}`).toSorted();
    const [alerts, joined] = [await ids(), await certificates()];
    assert.ok(alerts.length > 0);
    bulwark.upgrade({
      server: { config: { retention: { alerts: 90 } } },
      agent: { config: { agent: { spool: "500 MB" } } },
    });
    // By the pod's own address: kube-proxy of the tests may still know the former pod, after its API server was away.
    api = await bulwark.replica(0).api();
    // The same alerts, the same certificates.
    await agentsWatch(api, cluster.nodes, { timeout: 90_000, since: Date.now() });
    const kept = new Set(await ids());
    assert.deepEqual(
      alerts.filter((id) => !kept.has(id)),
      [],
    );
    assert.deepEqual(await certificates(), joined);
    // The agents before may have said a last word after the upgrade began. Those that come reach the server by its Service, which
    // kube-proxy may lead to the former pod for a minute, as said above.
    await eventually(
      "every agent has what it was given",
      async () => {
        const { components } = await api.getHealth();
        const spools = components.filter(({ id, summary }) => id === "spool" && / of 500\)/.test(summary));
        return cluster.nodes.every(({ name }) => spools.some(({ node }) => node === name)) || undefined;
      },
      150_000,
    );
    execOnNode(pod.node, pod.container, "/bin/echo upgraded");
    await eventually(
      "what happens now is told",
      async () => {
        const query = { q: "/bin/echo upgraded", kind: "exec", container: pod.container, limit: 10 } as const;
        return (await api.listEvents({ query })).items.length > 0 || undefined;
      },
      60_000,
    );
  });

  test("uninstalled, nothing is left but what was asked to stay; installed again, all is known as before", async () => {
    const before = (await alertsOf("brief")).map(({ id }) => id);
    assert.equal(before.length, 3);
    bulwark.uninstall();
    const kept = [
      ...["Namespace /bulwark", "ServiceAccount bulwark/default", "ConfigMap bulwark/kube-root-ca.crt"],
      ...["PersistentVolumeClaim bulwark/bulwark-data", "Secret bulwark/bulwark-keys"],
    ];
    await eventually(
      "the rest is gone",
      () => {
        const left = [...objectsOf(cluster)].filter((object) => object.includes("bulwark"));
        assert.deepEqual(left.toSorted(), kept.toSorted());
        return true;
      },
      60_000,
    );
    bulwark = install(cluster);
    api = await bulwark.api();
    assert.deepEqual(
      (await alertsOf("brief")).map(({ id }) => id),
      before,
    );
    await agentsWatch(api, cluster.nodes, { timeout: 90_000, since: Date.now() });
  });
});

/** Of those that `e2e/runtime` performs, some that busybox can do; all of them are in `e2e/runtime/pods.long.ts`. */
const chosen = [
  { workload: "checkout", what: "a cgroup hierarchy that is mounted, refused" },
  { workload: "checkout", what: "a FIFO, a shell and nc" },
  { workload: "debug", what: "a disk of the host that is mounted" },
  { workload: "debug", what: "namespaces of another process" },
  { workload: "debug", what: "read-only parts made writable" },
].map(({ workload, what }) => {
  const technique = [...escapes, ...reverseShells].find((one) => one.what === what);
  if (!technique) throw new Error(`no technique ${what}`);
  return { workload, technique };
});

const kubectlOf = ({ programs, kubeconfig }: Cluster): [string, ...string[]] => [
  programs.kubernetes,
  ...["kubectl", "--kubeconfig", kubeconfig],
];

/** What a pod answers through `kubectl port-forward`. */
async function forwarded(cluster: Cluster, pod: string, path: string): Promise<string> {
  const [program, ...words] = [...kubectlOf(cluster), "port-forward", "-n", "shop", `pod/${pod}`, ":8080"];
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const port = /127\.0\.0\.1:(\d+) ->/.exec(line)?.[1];
      if (port !== undefined) return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    }
    throw new Error("kubectl port-forward ended");
  } finally {
    child.kill();
  }
}

/** What the console has of a container, for a person who has to find out why an alert is lacking. */
async function seenIn(api: Client, container: string): Promise<string> {
  const { items } = await api.listEvents({ query: { container, limit: 50 } });
  const events = items.map((item) => `${new Date(item.time).toISOString()} ${JSON.stringify(item).slice(0, 600)}`);
  const { items: alerts } = await api.listAlerts({ query: { limit: 20 } });
  const { components } = await api.getHealth();
  const unwell = components.filter(({ state }) => state !== "ok").map((part) => JSON.stringify(part));
  return [`${events.length} events`, ...events, "alerts", ...alerts.map((it) => JSON.stringify(it)), ...unwell].join(
    "\n",
  );
}
