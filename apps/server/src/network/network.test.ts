import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { collections, toKubeObject } from "@bulwark/cluster";
import { ApiError, type Client } from "@bulwark/contract";
import type { KubeResource } from "@bulwark/kube";
import type { FlowHour, KubeChange, KubeKind, NetworkEnd } from "@bulwark/model";
import { fakeKubernetes, sampleContainer, type FakeKubernetes, type FakeObject } from "@bulwark/testkit";
import { object, startServerOf, until } from "../kubernetes/cluster.fixture.ts";
import { batchOf, type TestServer } from "../server.fixture.ts";

const hour = 3_600_000;
const policies = "/apis/networking.k8s.io/v1/networkpolicies";
/** The hour before this one: the day before it is what is looked at. */
const now = Math.floor(Date.now() / hour) * hour - hour;

function pod(
  name: string,
  podIP: string,
  change: { spec?: object; ended?: boolean; labels?: object } = {},
): FakeObject {
  const { spec, ended = false, labels = { app: name.split("-")[0] ?? name } } = change;
  const state = ended ? { terminated: { reason: "Completed" } } : { running: {} };
  const containers = [{ name: "c", image: "c:1", ports: [{ name: "pg", containerPort: 5432 }] }];
  const status = {
    ...{ phase: ended ? "Succeeded" : "Running", podIP },
    containerStatuses: [{ name: "c", state, containerID: "containerd://1" }],
  };
  const owner = {
    kind: "StatefulSet",
    apiVersion: "apps/v1",
    name: name.split("-")[0] ?? "",
    uid: "o",
    controller: true,
  };
  const meta = { namespace: "shop", labels, ownerReferences: [owner] };
  return object("Pod", name, { spec: { nodeName: "node-1", containers, ...spec }, status }, meta);
}

/** As the agent of node-1 tells of its own pods. */
const own = (name: string, ip: string): NetworkEnd => ({
  ...{ ip, name: null },
  workload: {
    ...{ namespace: "shop", name: name.split("-")[0] ?? name, kind: "StatefulSet", pod: name },
    ...{ labels: { app: name.split("-")[0] ?? name }, serviceAccount: "default", node: "node-1" },
  },
});
const stranger = (ip: string, name: string | null = null): NetworkEnd => ({ workload: null, ip, name });
const web = own("web-0", "10.0.0.1");
const db = own("db-0", "10.0.0.2");

function flow(client: NetworkEnd, server: NetworkEnd, port: number, more: Partial<FlowHour> = {}): FlowHour {
  const { first = now + 1000 } = more;
  return {
    ...{ hour: Math.floor(first / hour) * hour, side: "client", client, server, port, protocol: "TCP" },
    ...{ connections: 4, flows: 2, bytesOut: 10, bytesIn: 20, encrypted: 0, credential: false },
    results: { established: 4, refused: 0, "timed-out": 0, denied: 0, unknown: 0 },
    ...{ tls: [], clear: [], processes: ["web"], deniedBy: [], first, last: first },
    ...more,
  };
}

/** An ordinary day: over the Service, and the other node's word for the same; the ingress; a partner outside. */
const ordinary = [
  flow(web, stranger("10.96.0.5"), 5432),
  flow(stranger("10.0.0.1"), db, 5432, { side: "server", processes: [] }),
  flow(stranger("192.0.2.80"), web, 8443, { side: "server", encrypted: 4, tls: ["1.3"] }),
  flow(web, stranger("203.0.113.7", "api.partner.example"), 443, { encrypted: 4, tls: ["1.2"] }),
  flow(web, own("dns-0", "10.0.0.53"), 53, { protocol: "UDP" }),
];
const attack = [
  flow(own("ads-0", "10.0.0.66"), stranger("10.96.0.5"), 5432, { processes: ["psql"] }),
  flow(own("ads-0", "10.0.0.66"), db, 22),
  flow(web, stranger("198.51.100.66"), 4444, { processes: ["sh"] }),
  flow(db, stranger("169.254.169.254"), 80, { clear: ["http"] }),
  flow(db, web, 9999),
];

describe("who talks to whom", () => {
  let fake: FakeKubernetes;
  let server: TestServer;
  let person: Client;
  let sent = 1;
  let learnedText = "";

  before(async () => {
    fake = await fakeKubernetes();
    fake.put(collections.Namespace, object("Namespace", "kube-system"), object("Namespace", "shop"));
    fake.put(collections.Node, object("Node", "node-1"));
    fake.put(
      collections.Pod,
      pod("web-0", "10.0.0.1"),
      pod("db-0", "10.0.0.2"),
      pod("dns-0", "10.0.0.53"),
      pod("ads-0", "10.0.0.66"),
      // What has ended has an address in the API, and another pod has it by now.
      pod("old-0", "10.0.0.1", { ended: true }),
      pod("agent-0", "192.0.2.80", { spec: { hostNetwork: true } }),
    );
    fake.put(
      collections.Service,
      object(
        "Service",
        "postgres",
        {
          spec: {
            ...{ type: "ClusterIP", clusterIPs: ["10.96.0.5"], selector: { app: "db" } },
            ports: [{ port: 5432, targetPort: "pg", protocol: "TCP" }],
          },
        },
        { namespace: "shop" },
      ),
    );
    server = await startServerOf(fake, { clusterFlush: 20, clusterStatus: 50, networkPoll: 50 });
    person = server.client(await server.login());
    await until("the inventory is complete", async () => {
      const { items } = await person.listKubeObjects({ query: { cluster: "east", kind: "Pod" } });
      return items.length === 6;
    });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await fake[Symbol.asyncDispose]();
  });

  async function tell(flows: FlowHour[], node = "east/node-1", lost = 0): Promise<void> {
    const agent = server.client(await server.agent(node));
    const name = node.slice(node.indexOf("/") + 1);
    const report = { node: name, from: now, until: now + hour, flows, lost };
    const record = { type: "flows" as const, report };
    await agent.ingest({ body: batchOf([record], { node: name, spool: `s-${node}`, first: sent++ }) });
  }
  const edges = async (query: Parameters<Client["listNetworkEdges"]>[0]["query"] = {}) =>
    person.listNetworkEdges({ query });
  const texts = async (query: Parameters<Client["listNetworkEdges"]>[0]["query"] = {}): Promise<string[]> =>
    (await edges(query)).items
      .map(({ client, server: to, ports }) => `${client.key} → ${to.key} ${ports.map(({ port }) => port).join(" ")}`)
      .sort();

  test("workloads as they were then, behind Services too; what both ends told counts once", async () => {
    await tell(ordinary, "east/node-1", 3);
    assert.deepEqual(await texts(), [
      "192.0.2.80 → shop/web 8443",
      "shop/web → api.partner.example 443",
      "shop/web → shop/db 5432",
      "shop/web → shop/dns 53",
    ]);
    const { items, lost, observers, clusters, truncated } = await edges();
    const edge = items.find((item) => item.server.key === "shop/db");
    assert.deepEqual([edge?.connections, edge?.processes, edge?.isNew], [4, ["web"], false]);
    assert.deepEqual([edge?.ports[0]?.port, edge?.verdict?.allowed], [5432, true]);
    assert.deepEqual([lost, truncated], [3, false]);
    assert.deepEqual(
      observers.map(({ node, cluster, gaps }) => [node, cluster, gaps]),
      [["east/node-1", "east", []]],
    );
    assert.deepEqual(
      clusters.map(({ cluster, policies: count, writable, reason }) => [cluster, count, writable, reason]),
      [["east", 0, true, ""]],
    );
    assert.deepEqual(await texts({ grain: "namespace" }), [
      "192.0.2.80 → shop/ 8443",
      "shop/ → api.partner.example 443",
      "shop/ → shop/ 53 5432",
    ]);
    assert.deepEqual(await texts({ q: "PARTNER" }), ["shop/web → api.partner.example 443"]);
    assert.deepEqual(await texts({ namespace: "other" }), []);
    const hours = await person.listNetworkFlows({ query: { client: "shop/web", server: "shop/db" } });
    // By the client's node; what the server's own tells of it has no name, and may be of a later hour.
    assert.ok(hours.items.some(({ server }) => server.name === "postgres.shop.svc"));
  });

  test("what was learned from a day denies none of it, and every flow of an attack", async () => {
    const learned = await person.learnNetworkPolicies({
      body: { cluster: "east", namespaces: [], grain: "workload", names: false, dns: true },
    });
    assert.deepEqual(
      learned.candidates.map(({ name }) => name),
      ["db", "dns", "web"],
    );
    assert.equal(learned.lost, 3, "what is not known was not learned, and that is said");
    learnedText = learned.text;
    const ask = { cluster: "east", text: learnedText, remove: [] };
    const day = await person.replayNetworkPolicies({ body: ask });
    assert.deepEqual([day.edges, day.deniedEdges, day.denied, day.skipped], [4, 0, [], {}]);

    await tell(attack);
    const attacked = await person.replayNetworkPolicies({ body: ask });
    const denied = attacked.denied.map(({ client, server: to, port }) => `${client.key} → ${to.key} ${port}`).sort();
    assert.deepEqual(denied, [
      "shop/ads/ads-0 → shop/db/* 5432",
      "shop/ads/ads-0 → shop/db/db-0 22",
      "shop/db/db-0 → 169.254.169.254 80",
      "shop/db/db-0 → shop/web/web-0 9999",
      "shop/web/web-0 → 198.51.100.66 4444",
    ]);
    assert.equal(attacked.edges, 9, "and the day's own are let through still");
    assert.ok(attacked.denied.every(({ reason, deniedNow }) => reason.includes("learned-") && deniedNow === false));
    assert.deepEqual(attacked.byWorkload.map(({ key, edges: count }) => `${key} ${count}`).sort(), [
      "shop/db 4",
      "shop/web 1",
    ]);
  });

  test("a text that no API server would take is refused, and says what is wrong", async () => {
    const wrong = learnedText
      .replace("policyTypes:", "policyTypos:\n    - Ingress\n  policyTypes:")
      .replace("Egress", "Exgress");
    const invalid = (error: unknown) => error instanceof ApiError && error.problem.code === "invalid";
    const body = { cluster: "east", remove: [], mode: "enforce", confirmMinutes: 1, reason: "a test" } as const;
    await assert.rejects(person.publishNetworkPolicies({ body: { ...body, remove: [], text: wrong } }), invalid);
    for (const text of ["a: [", "kind: Pod\nmetadata: { name: a }", ""]) {
      await assert.rejects(person.publishNetworkPolicies({ body: { ...body, remove: [], text } }), invalid);
    }
    assert.deepEqual((await person.listNetworkPolicyDocuments({ query: {} })).items, []);
  });

  test("published policies are in the cluster, stay when they are confirmed, and are in the audit log", async () => {
    const body = { cluster: "east", text: learnedText, remove: [], mode: "enforce", confirmMinutes: 5 } as const;
    const wish = { ...body, remove: [], reason: "close the shop" };
    const document = await person.publishNetworkPolicies({ body: wish });
    assert.deepEqual([document.state, document.policies.length], ["published", 3]);
    const confirmed = await person.confirmNetworkPolicies({ params: { id: document.id } });
    assert.deepEqual([confirmed.state, confirmed.confirmed?.by], ["confirmed", "admin"]);
    const { items } = await person.listNetworkPolicies({ query: { cluster: "east" } });
    assert.deepEqual(
      items.map(({ name, document: id, problems }) => [name, id, problems]),
      ["learned-db", "learned-dns", "learned-web"].map((name) => [name, document.id, []]),
    );
    const verdicts = (await edges()).items.map(({ client, server: to, verdict }) => {
      return `${client.key} → ${to.key} ${verdict?.allowed}`;
    });
    assert.deepEqual(verdicts.sort(), [
      "192.0.2.80 → shop/web true",
      "shop/ads → shop/db false",
      "shop/db → 169.254.169.254 false",
      "shop/db → shop/web false",
      "shop/web → 198.51.100.66 false",
      "shop/web → api.partner.example true",
      "shop/web → shop/db true",
      "shop/web → shop/dns true",
    ]);
    const { items: log } = await person.listAudit({ query: { limit: 2 } });
    assert.deepEqual(
      log.map(({ actor, action, target }) => [actor, action, target]),
      [
        ["admin", "network-policy.confirm", document.id],
        ["admin", "network-policy.publish", document.id],
      ],
    );
  });

  test("a change is undone: what was added goes, what was changed or removed is as it was", async () => {
    const before = (await person.listNetworkPolicies({ query: {} })).items.map(({ text }) => text);
    const [first = "", second = ""] = learnedText.split("---\n").slice(1);
    const text = `${first.replace("port: 5432", "port: 5433")}---\n${second.replace("learned-dns", "extra")}`;
    const remove = [{ kind: "NetworkPolicy", namespace: "shop", name: "learned-web" }];
    const ask = { cluster: "east", text, remove };
    const effect = await person.replayNetworkPolicies({ body: ask });
    assert.ok(effect.denied.some(({ port, deniedNow }) => port === 5432 && deniedNow === false));
    const body = { ...ask, mode: "enforce", confirmMinutes: 5, reason: "a try" } as const;
    const document = await person.publishNetworkPolicies({ body: { ...body, remove } });
    const names = async (): Promise<string[]> =>
      (await person.listNetworkPolicies({ query: {} })).items.map(({ name }) => name).sort();
    assert.deepEqual(await names(), ["extra", "learned-db", "learned-dns"]);
    const undone = await person.undoNetworkPolicies({ params: { id: document.id } });
    assert.deepEqual([undone.state, undone.problem], ["undone", ""]);
    const after_ = (await person.listNetworkPolicies({ query: {} })).items.map(({ text: now_ }) => now_);
    assert.deepEqual(after_.sort(), before.sort());
    await assert.rejects(person.undoNetworkPolicies({ params: { id: document.id } }), /undone already/);
    await assert.rejects(person.confirmNetworkPolicies({ params: { id: document.id } }), /it is undone/);
  });

  test("what nobody confirms in time is undone by itself, but not what somebody else has changed since", async () => {
    const text = learnedText.split("---\n")[1]?.replace("learned-db", "brief") ?? "";
    const two = `${text}---\n${text.replace("brief", "kept")}`;
    const body = { cluster: "east", text: two, mode: "enforce", confirmMinutes: 1, reason: "a try" } as const;
    const document = await person.publishNetworkPolicies({ body: { ...body, remove: [] } });
    const spec = { podSelector: {}, policyTypes: ["Ingress"] };
    const kept = object("NetworkPolicy", "kept", { spec }, { namespace: "shop" });
    const { items } = await person.listNetworkPolicies({ query: {} });
    assert.ok(items.some(({ name }) => name === "kept"));
    fake.put(policies, { ...kept, metadata: { ...kept.metadata, uid: uidOf("kept") } });
    assert.ok(await server.store.networkDocuments.change({ ...document, confirmBefore: 1 }, "published"));
    await until("it is undone", async () => {
      return (await person.getNetworkPolicyDocument({ params: { id: document.id } })).document.state === "undone";
    });
    const { document: undone } = await person.getNetworkPolicyDocument({ params: { id: document.id } });
    assert.equal(undone.undone?.by, "server");
    assert.match(undone.problem, /NetworkPolicy shop\/kept/);
    const names = new Set((await person.listNetworkPolicies({ query: {} })).items.map(({ name }) => name));
    assert.deepEqual([names.has("brief"), names.has("kept")], [false, true]);
    await until("the audit log has it", async () => {
      const { items: log } = await person.listAudit({ query: { limit: 5 } });
      return log.some(
        ({ actor, action, target }) => `${actor} ${action} ${target}` === `server network-policy.undo ${document.id}`,
      );
    });
    function uidOf(name: string): string {
      return fake.objects(policies).find(({ metadata }) => metadata.name === name)?.metadata.uid ?? "";
    }
  });

  test("a cluster that is away leaves it to be undone, which is tried until it is back", async () => {
    const text = learnedText.split("---\n")[1]?.replace("learned-db", "away") ?? "";
    const body = { cluster: "east", text, mode: "enforce", confirmMinutes: 1, reason: "a try" } as const;
    const document = await person.publishNetworkPolicies({ body: { ...body, remove: [] } });
    fake.away();
    const state = async (): Promise<string> =>
      (await person.getNetworkPolicyDocument({ params: { id: document.id } })).document.state;
    assert.equal((await person.undoNetworkPolicies({ params: { id: document.id } })).state, "stuck");
    assert.equal(await state(), "stuck");
    fake.back();
    await until("it is undone", async () => (await state()) === "undone");
    assert.ok(!fake.objects(policies).some(({ metadata }) => metadata.name === "away"));
  });

  test("to observe changes nothing, and says what would have been denied since", async () => {
    const body = {
      cluster: "east",
      text: learnedText,
      mode: "observe",
      confirmMinutes: 5,
      reason: "first look",
    } as const;
    const document = await person.publishNetworkPolicies({ body: { ...body, remove: [] } });
    assert.equal(document.state, "observing");
    const first = Date.now();
    await tell([flow(own("ads-0", "10.0.0.66"), db, 23, { first, last: first })]);
    const { observed } = await person.getNetworkPolicyDocument({ params: { id: document.id } });
    assert.deepEqual(
      observed?.denied.map(({ port }) => port),
      [23],
    );
    assert.equal((await person.undoNetworkPolicies({ params: { id: document.id } })).state, "undone");
  });

  test("where this server may not write, the text is handed out, and says why", async () => {
    fake.authorize(({ verb }) => ["get", "list", "watch"].includes(verb));
    const text = learnedText.split("---\n")[1]?.replace("learned-db", "mine") ?? "";
    const body = { text, mode: "enforce", confirmMinutes: 5, reason: "no rights", remove: [] } as const;
    for (const cluster of ["east", "west"]) {
      const document = await person.publishNetworkPolicies({ body: { ...body, cluster, remove: [] } });
      assert.equal(document.state, "handed-out", cluster);
      assert.match(document.problem, cluster === "east" ? /forbidden/ : /no access/);
      assert.notEqual(document.remedy, "");
    }
    fake.authorize(() => true);
    assert.ok(!fake.objects(policies).some(({ metadata }) => metadata.name === "mine"));
  });

  test("of a cluster whose policies are not known, nothing is said but who talked", async () => {
    await tell([flow(web, db, 5432)], "north/node-1");
    const { items, clusters } = await edges({ cluster: "north" });
    assert.deepEqual(
      items.map(({ client, verdict }) => [client.key, verdict]),
      [["shop/web", null]],
    );
    assert.match(clusters[0]?.reason ?? "", /no access/);
    const body = { cluster: "north", text: learnedText, remove: [] };
    const { denied, cluster } = await person.replayNetworkPolicies({ body });
    assert.deepEqual([denied, cluster.policies], [[], null]);
  });

  test("of a cluster that a collector tells of, policies are judged and tried, and their text is handed out", async () => {
    const { kubernetes } = server.store;
    const told = (kind: KubeKind, raw: FakeObject): KubeChange[] => {
      const object_ = toKubeObject("south", kind, raw as unknown as KubeResource);
      assert.ok(object_);
      return [{ type: "put", object: object_, manifest: JSON.stringify(raw) }];
    };
    const closed = { podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Ingress"] };
    const policy = object("NetworkPolicy", "closed", { spec: closed }, { namespace: "shop" });
    const changes = [
      ...told("Namespace", object("Namespace", "shop")),
      ...told("Pod", pod("web-0", "10.0.0.1")),
      ...told("Pod", pod("db-0", "10.0.0.2")),
      ...told("NetworkPolicy", { ...policy, apiVersion: "networking.k8s.io/v1" }),
    ];
    await kubernetes.write("south", changes, Date.now());
    const state = { uid: "s", version: "v1.36.3", state: "ok" as const, reason: "", remedy: "", counters: {} };
    await kubernetes.putCluster({ ...state, name: "south", syncedAt: Date.now(), updatedAt: Date.now() });
    await tell([flow(web, db, 5432)], "south/node-1");
    const { items, clusters } = await edges({ cluster: "south" });
    assert.deepEqual(
      items.map(({ client, verdict }) => [client.key, verdict?.allowed]),
      [["shop/web", false]],
    );
    assert.match(items[0]?.verdict?.reason ?? "", /NetworkPolicy shop\/closed/);
    assert.deepEqual([clusters[0]?.policies, clusters[0]?.writable], [1, false]);
    assert.match(clusters[0]?.reason ?? "", /by its collector/);
    const remove = [{ kind: "NetworkPolicy", namespace: "shop", name: "closed" }];
    const opened = await person.replayNetworkPolicies({ body: { cluster: "south", text: "", remove } });
    assert.deepEqual(opened.denied, []);
    const kept = await person.replayNetworkPolicies({ body: { cluster: "south", text: "", remove: [] } });
    assert.deepEqual(
      kept.denied.map(({ port, deniedNow }) => [port, deniedNow]),
      [[5432, true]],
    );
    const { items: listed } = await person.listNetworkPolicies({ query: { cluster: "south" } });
    assert.deepEqual(
      listed.map(({ name, namespace }) => [namespace, name]),
      [["shop", "closed"]],
    );
    const wish = {
      cluster: "south",
      text: learnedText,
      mode: "enforce",
      confirmMinutes: 5,
      reason: "close it",
    } as const;
    const document = await person.publishNetworkPolicies({ body: { ...wish, remove: [] } });
    assert.deepEqual([document.state, document.problem !== ""], ["handed-out", true]);
  });

  test("of a cluster whose collector is silent, or did not tell a policy as a whole, policies are not known", async () => {
    const { kubernetes } = server.store;
    const state = { uid: "w", version: "v1.36.3", state: "ok" as const, reason: "", remedy: "", counters: {} };
    const known = async (name: string, updatedAt: number): Promise<string | undefined> => {
      await kubernetes.putCluster({ ...state, name, syncedAt: updatedAt, updatedAt });
      await tell([flow(web, db, 5432)], `${name}/node-1`);
      const { clusters } = await edges({ cluster: name });
      assert.equal(clusters[0]?.policies, null);
      return clusters[0]?.reason;
    };
    assert.match((await known("silent", Date.now() - 3_600_000)) ?? "", /nothing has been heard of silent for 60 min/);
    const raw = object("NetworkPolicy", "large", { spec: {} }, { namespace: "shop" });
    const large = toKubeObject("partly", "NetworkPolicy", raw as unknown as KubeResource);
    assert.ok(large);
    await kubernetes.write("partly", [{ type: "put", object: large, manifest: null }], Date.now());
    assert.match((await known("partly", Date.now())) ?? "", /1 of 1 network policies of partly/);
  });

  test("the containers of an end, for whoever is to be cut off", async () => {
    const agent = server.client(await server.agent("east/node-1"));
    const one = sampleContainer(1, { node: "node-1", state: "running" });
    await agent.ingest({ body: batchOf([{ type: "container", container: one }], { spool: "containers" }) });
    const { pod: its } = one;
    const key = its ? `${its.namespace}/${its.metadata?.owners.at(-1)?.name ?? its.name}` : `/${one.name}`;
    const list = async (cluster: string, asked: string): Promise<string[]> =>
      (await person.listNetworkContainers({ query: { cluster, key: asked } })).items.map(({ id }) => id);
    assert.deepEqual(await list("east", key), [one.id]);
    assert.deepEqual([await list("west", key), await list("east", `${key}x`)], [[], []]);
  });

  test("an agent speaks for its own node", async () => {
    const agent = server.client(await server.agent("east/node-1"));
    const report = { node: "node-2", from: now, until: now, flows: [], lost: 0 };
    const there: NetworkEnd = { ...web, workload: web.workload && { ...web.workload, node: "node-2" } };
    for (const told of [report, { ...report, node: "node-1", flows: [flow(there, db, 5432)] }]) {
      const body = batchOf([{ type: "flows", report: told }], { spool: "foreign" });
      await assert.rejects(agent.ingest({ body }), (error) => error instanceof ApiError && error.status === 403);
    }
  });
});
