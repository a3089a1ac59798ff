/**
 * Policies learned from what pods did, on a real cluster whose network enforces none: tried, observed, published through the
 * server with its own rights, enforced by agents, confirmed and undone. Takes minutes:
 * `npm run e2e e2e/network/learned.long.ts`.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Client } from "@bulwark/contract";
import { eventually, missing } from "@bulwark/testkit";
import { busyboxImage, startCluster, type Cluster } from "../cluster/cluster.ts";
import { agentsWatch, install, noneRestarted, podsOf, pushImages, type Installed } from "../kubernetes/installed.ts";

/** At most so long until connections are as the policies say, after they changed. */
const slowest = 60_000;

describe("policies that were learned, on a real cluster", { skip: missing("cluster", "bpf", "clang") }, () => {
  const stack = new AsyncDisposableStack();
  let cluster: Cluster;
  let bulwark: Installed;
  let api: Client;
  let text = "";

  before(async () => {
    cluster = stack.use(await startCluster());
    pushImages(cluster);
    cluster.apply(...namespaces.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })));
    cluster.apply(
      service("shop", "api", 80, 8080),
      service("data", "db", 5432, 5432),
      service("shop", "nobody", 80, 80),
      deployment("data", "db", "node-1", 5432),
      deployment("other", "thief", "node-2", null),
      deployment("other", "neighbour", "node-1", null),
    );
    const network = { flows: true, flowsEvery: 2, enforce: true };
    bulwark = install(cluster, { agent: { config: { agent: { network } } } });
    api = await bulwark.api();
    await agentsWatch(api, cluster.nodes);
    // After the agents, as people deploy: all that they do is seen.
    cluster.apply(
      deployment("shop", "api", "node-2", 8080, ask("db.data", 5432)),
      deployment("front", "web", "node-1", null, ask("api.shop", 80)),
    );
    for (const namespace of namespaces) cluster.ready(["--all"], { namespace });
  });
  after(async () => stack.disposeAsync());

  function ipOf(namespace: string, name: string): string {
    return (cluster.get("service", name, namespace) as { spec: { clusterIP: string } }).spec.clusterIP;
  }
  /** From a workload, or a pod. */
  function connects(from: string, to: string, port: number): boolean {
    const [namespace = "", name = "", pod] = from.split("/");
    const [toNamespace = "", toName = ""] = to.split("/");
    const get = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${ipOf(toNamespace, toName)} ${port} 2>/dev/null | head -1`;
    return cluster.kubectl("exec", "-n", namespace, pod ?? `deploy/${name}`, "--", "sh", "-c", get).includes("200 OK");
  }
  const becomes = async (open: boolean, from: string, to: string, port: number): Promise<unknown> =>
    becomesTrue(`${from} ${open ? "reaches" : "does not reach"} ${to}`, () => connects(from, to, port) === open);
  /** Of what the shop does by itself: since a line of its log, whether it went on. */
  function triesOf(namespace: string, name: string): { ok: number; failed: number } {
    const lines = cluster.kubectl("logs", "-n", namespace, `deploy/${name}`).split("\n");
    return { ok: lines.filter((line) => line === "ok").length, failed: lines.filter((line) => line === "no").length };
  }
  async function publish(mode: "enforce" | "observe", confirmMinutes: number) {
    const reason = "close the shop";
    return api.publishNetworkPolicies({ body: { cluster: "default", text, remove: [], mode, confirmMinutes, reason } });
  }
  async function edge(client: string, server: string) {
    const { items } = await api.listNetworkEdges({ query: { cluster: "default" } });
    return items.find((item) => item.client.key === client && item.server.key === server);
  }

  test("what was seen is learned, reads as it should, and denies nothing of it", async () => {
    await becomesTrue("the shop was seen", async () => {
      const seen = [await edge("front/web", "shop/api"), await edge("shop/api", "data/db")];
      return seen.every((one) => one !== undefined && one.connections > 3);
    });
    const learned = await api.learnNetworkPolicies({
      body: { cluster: "default", namespaces: ["front", "shop", "data"], grain: "workload", names: false, dns: true },
    });
    assert.deepEqual(
      learned.candidates.map(({ namespace, name, exact }) => [namespace, name, exact]),
      [
        ["data", "db", true],
        ["front", "web", true],
        ["shop", "api", true],
      ],
    );
    assert.deepEqual(learned.notes, []);
    text = learned.text;
    const { deniedEdges, edges, problems } = await api.replayNetworkPolicies({
      body: { cluster: "default", text, remove: [] },
    });
    assert.ok(edges >= 4);
    assert.deepEqual([deniedEdges, problems], [0, []]);
  });

  test("who was never seen would be denied, which observing tells without doing it", async () => {
    const { id } = await publish("observe", 10);
    for (const thief of ["other/thief", "other/neighbour"]) assert.ok(connects(thief, "data/db", 5432), thief);
    await becomesTrue("it is told", async () => {
      const { observed } = await api.getNetworkPolicyDocument({ params: { id } });
      const names = new Set(
        observed?.denied.map(({ client, server }) => `${client.workload?.name} ${server.key.split("/")[1]}`),
      );
      return ["thief db", "neighbour db"].every((name) => names.has(name));
    });
    assert.ok(connects("other/thief", "data/db", 5432), "nothing is denied by looking");
    assert.equal((await api.undoNetworkPolicies({ params: { id } })).state, "undone");
  });

  test("a server without the right hands the text out, and says what would give it", async () => {
    const document = await publish("enforce", 10);
    assert.equal(document.state, "handed-out");
    assert.match(document.problem, /forbidden/);
    const { items } = await api.listNetworkPolicies({ query: { cluster: "default" } });
    assert.ok(items.every(({ name }) => !name.startsWith("learned-")));
    bulwark.upgrade({ server: { writeNetworkPolicies: true } });
    api = await bulwark.api();
  });

  test("published, agents enforce it on both nodes, and what was ordinary goes on; who denied is known", async () => {
    const before = [triesOf("front", "web"), triesOf("shop", "api")];
    const document = await publish("enforce", 10);
    assert.equal(document.state, "published");
    await becomes(false, "other/thief", "data/db", 5432);
    await becomes(false, "other/neighbour", "data/db", 5432);
    await becomes(false, "front/web", "data/db", 5432);
    assert.ok(connects("front/web", "shop/api", 80));
    await becomesTrue("the shop goes on", () => {
      const now = [triesOf("front", "web"), triesOf("shop", "api")];
      return now.every(({ ok }, at) => ok > (before[at]?.ok ?? 0) + 3);
    });
    const after_ = [triesOf("front", "web"), triesOf("shop", "api")];
    assert.deepEqual(
      after_.map(({ failed }) => failed),
      before.map(({ failed }) => failed),
      "no connection of the shop was lost",
    );
    // From another node, from the same node, and at the client's own end.
    for (const [client, policy] of [
      ["other/thief", "NetworkPolicy data/learned-db"],
      ["other/neighbour", "NetworkPolicy data/learned-db"],
      ["front/web", "NetworkPolicy front/learned-web"],
    ] as const) {
      await becomesTrue(`${client} was denied, by its policy`, async () => {
        const one = await edge(client, "data/db");
        return one !== undefined && one.results.denied > 0 && one.deniedBy.includes(policy);
      });
      assert.equal((await edge(client, "data/db"))?.verdict?.allowed, false);
    }
    const confirmed = await api.confirmNetworkPolicies({ params: { id: document.id } });
    assert.equal(confirmed.state, "confirmed");
  });

  test("pods that come later are under the same policies, also where a Service has nobody behind it", async () => {
    for (const [namespace, label] of [
      ["data", "app=db"],
      ["other", "app=thief"],
    ] as const) {
      cluster.kubectl("delete", "pod", "-n", namespace, "-l", label, "--wait=true");
      cluster.kubectl("rollout", "status", "-n", namespace, `deployment/${label.slice(4)}`, "--timeout=60s");
    }
    await becomes(false, "other/thief", "data/db", 5432);
    const { ok } = triesOf("shop", "api");
    await becomesTrue("the shop goes on", () => triesOf("shop", "api").ok > ok + 2);
    const { components } = await api.getHealth();
    const parts = components.filter(({ id }) => id === "network-policies");
    assert.equal(parts.length, cluster.nodes.length);
    for (const { node, state, reason } of parts) assert.deepEqual([state, reason], ["ok", ""], node);
  });

  test("undone, all is as it was; every step is in the audit log", async () => {
    const { items } = await api.listNetworkPolicyDocuments({ query: { cluster: "default" } });
    const document = items.find(({ state }) => state === "confirmed");
    assert.ok(document);
    const undone = await api.undoNetworkPolicies({ params: { id: document.id } });
    assert.deepEqual([undone.state, undone.problem], ["undone", ""]);
    await becomes(true, "other/thief", "data/db", 5432);
    assert.equal(cluster.kubectl("get", "networkpolicies", "-n", "data", "-o", "name"), "");
    const { items: log } = await api.listAudit({ query: { limit: 100 } });
    const steps = log.filter(({ action }) => action.startsWith("network-policy.")).toReversed();
    assert.deepEqual(
      steps.map(({ actor, action, target }) => [actor, action, target === document.id]),
      [
        ["admin", "network-policy.publish", false],
        ["admin", "network-policy.undo", false],
        ["admin", "network-policy.publish", false],
        ["admin", "network-policy.publish", true],
        ["admin", "network-policy.confirm", true],
        ["admin", "network-policy.undo", true],
      ],
    );
  });

  test("a workload is cut from the network on all nodes, with the pods that come later, until that is undone", async () => {
    cluster.apply(crowd(2));
    cluster.kubectl("rollout", "status", "-n", "other", "deployment/crowd", "--timeout=110s");
    const pods = (): string[] => podsOf(cluster, "other", "app=crowd").map(({ name }) => `other/crowd/${name}`);
    const cut = async (): Promise<unknown> =>
      becomesTrue("none reaches anybody", () => pods().every((pod) => !connects(pod, "data/db", 5432)));
    assert.equal(new Set(podsOf(cluster, "other", "app=crowd").map(({ node }) => node.name)).size, 2);
    assert.ok(pods().every((pod) => connects(pod, "data/db", 5432)));
    const scope = { namespaces: ["other"], images: [], containers: [], labels: "" };
    await api.setResponsePolicy({
      params: { id: "crowd" },
      body: { name: "crowd", scope, mode: "enforce", actions: ["quarantine"], system: false, automatic: null },
    });
    const wish = { cluster: "default", namespace: "other", workload: "crowd", limitMs: 3_600_000, except: [] };
    const asked = { ...wish, onFailure: "open" as const, reason: "odd traffic" };
    const { tries } = await api.quarantineWorkload({ body: { ...asked, dryRun: true } });
    assert.equal(tries.length, 2);
    for (const { id } of tries) {
      await becomesTrue("its agent answers", async () => (await api.getAction({ params: { id } })).state === "dry-run");
    }
    assert.ok(
      pods().every((pod) => connects(pod, "data/db", 5432)),
      "nothing was done by asking",
    );

    const { quarantine } = await api.quarantineWorkload({ body: { ...asked, dryRun: false } });
    assert.ok(quarantine);
    await cut();
    cluster.apply(crowd(4));
    cluster.kubectl("rollout", "status", "-n", "other", "deployment/crowd", "--timeout=110s");
    assert.equal(pods().length, 4);
    await cut();
    assert.ok(connects("other/thief", "data/db", 5432), "nobody else is meant");
    const { items } = await api.listActions({ query: { quarantine: quarantine.id, limit: 100 } });
    assert.deepEqual(
      items.map(({ state }) => state),
      ["done", "done", "done", "done"],
    );
    await api.undoWorkloadQuarantine({ params: { id: quarantine.id } });
    await becomesTrue("all may talk again", () => pods().every((pod) => connects(pod, "data/db", 5432)));
  });

  test("what nobody confirms is undone, also by a server that did not publish it", { timeout: 300_000 }, async () => {
    const { id } = await publish("enforce", 1);
    await becomes(false, "other/thief", "data/db", 5432);
    cluster.kubectl("delete", "pod", "-n", bulwark.namespace, "bulwark-server-0", "--wait=true");
    cluster.kubectl("rollout", "status", "-n", bulwark.namespace, "statefulset/bulwark-server", "--timeout=110s");
    // By its own address: kube-proxy of the tests may know nobody behind the Service for a while.
    api = await eventually("the new server lets in", async () => bulwark.replica(0).api(), slowest);
    const undone = await eventually(
      "it is undone",
      async () => {
        const { document } = await api.getNetworkPolicyDocument({ params: { id } });
        return document.state === "undone" ? document.undone : undefined;
      },
      150_000,
    );
    assert.equal(undone?.by, "server");
    await becomes(true, "other/thief", "data/db", 5432);
    noneRestarted(cluster, bulwark.namespace);
  });
});

async function becomesTrue(what: string, holds: () => Promise<boolean> | boolean): Promise<unknown> {
  return eventually(what, async () => ((await holds()) ? true : undefined), slowest);
}

const namespaces = ["front", "shop", "data", "other"];

/** Once a second, by name, over the Service; `ok` or `no` into its log. */
function ask(name: string, port: number): string {
  const ip = `$(nslookup ${name}.svc.cluster.local 2>/dev/null | awk '/^Address/ {ip=$NF} END {print ip}')`;
  const get = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${ip} ${port} | grep -q '200 OK'`;
  return `while true; do ${get} && echo ok || echo no; sleep 1; done`;
}

function deployment(namespace: string, name: string, node: string, port: number | null, then = "sleep 36000"): object {
  const serve = port === null ? "" : `mkdir -p /www; echo hello >/www/index.html; httpd -p ${port} -h /www; `;
  const container = {
    ...{ name: "main", image: busyboxImage, command: ["sh", "-c", `${serve}${then}`] },
    ...(port === null ? {} : { ports: [{ containerPort: port }], readinessProbe: { tcpSocket: { port } } }),
  };
  return {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace } },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          nodeSelector: { "kubernetes.io/hostname": node },
          terminationGracePeriodSeconds: 0,
          containers: [container],
        },
      },
    },
  };
}

/** On both nodes. */
function crowd(replicas: number): object {
  const labels = { app: "crowd" };
  const spread = { maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "DoNotSchedule" };
  const container = { name: "main", image: busyboxImage, command: ["sleep", "36000"] };
  return {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "crowd", namespace: "other" } },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 0,
          topologySpreadConstraints: [{ ...spread, labelSelector: { matchLabels: labels } }],
          containers: [container],
        },
      },
    },
  };
}

function service(namespace: string, name: string, port: number, targetPort: number): object {
  const spec = { selector: { app: name }, ports: [{ port, targetPort }] };
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec };
}
