import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { collections } from "@bulwark/cluster";
import type { Client } from "@bulwark/contract";
import type { KubeRow } from "@bulwark/model";
import { fakeKubernetes, type FakeKubernetes, type FakeObject } from "@bulwark/testkit";
import { openPage } from "../http/page.fixture.ts";
import { batchOf, post, refusal, type TestServer } from "../server.fixture.ts";
import { object, startServerOf, until } from "./cluster.fixture.ts";

const { Pod: pods, Node: nodes, Deployment: deployments, ReplicaSet: replicaSets, Namespace: namespaces } = collections;

function pod(name: string, meta: object = {}, change: Record<string, unknown> = {}): FakeObject {
  const controller = {
    kind: "ReplicaSet",
    apiVersion: "apps/v1",
    name: "web-1",
    uid: "uid-ReplicaSet-web-1",
    controller: true,
  };
  const own = { namespace: "shop", labels: { app: "web" }, ownerReferences: [controller], ...meta };
  const status = { phase: "Running" };
  return object(
    "Pod",
    name,
    { spec: { nodeName: "node-1", containers: [{ name: "c", image: "web:1" }] }, status, ...change },
    own,
  );
}

let fake: FakeKubernetes;
let server: TestServer;
let person: Client;

beforeEach(async () => {
  fake = await fakeKubernetes();
  const ready = { status: { conditions: [{ type: "Ready", status: "True" }] } };
  fake.put(nodes, object("Node", "node-1", ready), object("Node", "node-2", ready));
  fake.put(namespaces, object("Namespace", "kube-system"), object("Namespace", "shop"));
  const owner = { kind: "Deployment", apiVersion: "apps/v1", name: "web", uid: "uid-Deployment-web", controller: true };
  const scaled = { spec: { replicas: 1 }, status: { readyReplicas: 1 } };
  fake.put(replicaSets, object("ReplicaSet", "web-1", scaled, { namespace: "shop", ownerReferences: [owner] }));
  fake.put(deployments, object("Deployment", "web", scaled, { namespace: "shop" }));
  fake.put(pods, pod("web-1-a"));
  server = await startServerOf(fake, { clusterFlush: 20, clusterStatus: 50, clusterLease: 1500 });
  person = server.client(await server.login());
  await until("the inventory is complete", async () => (await east())?.syncedAt !== null);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
});

async function east() {
  return (await person.listClusters()).items.find(({ name }) => name === "east");
}
async function list(query: NonNullable<Parameters<Client["listKubeObjects"]>[0]>["query"]): Promise<KubeRow[]> {
  const rows: KubeRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await person.listKubeObjects({ query: { cluster: "east", ...query, cursor, limit: 500 } });
    rows.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return rows;
}
const uids = async (deleted = false): Promise<Set<string>> =>
  new Set((await list({ kind: "Pod", deleted: String(deleted) })).map(({ uid }) => uid));

test("a cluster is there with its version, its workloads and their chain, and pods are found by label", async () => {
  const cluster = await east();
  assert.equal(cluster?.version, "v1.36.3");
  assert.equal(cluster.uid, "uid-Namespace-kube-system");
  assert.equal(cluster.state, "ok", cluster.reason);
  assert.deepEqual(cluster.objects, { Namespace: 2, Node: 2, Deployment: 1, ReplicaSet: 1, Pod: 1 });
  const [found] = await list({ selector: "app in (web),!canary" });
  assert.deepEqual(
    found?.owners.map(({ kind, name }) => `${kind}/${name}`),
    ["ReplicaSet/web-1", "Deployment/web"],
  );
  const [workload] = await list({ workloads: "true" });
  assert.equal(workload?.name, "web");
  assert.equal(workload.status, "1/1");
  assert.equal(workload.known.pods, 1);
  const alone = await person.getKubeObject({ params: { cluster: "east", uid: found?.uid ?? "" } });
  assert.deepEqual({ ...alone, lastSeen: 0 }, { ...found, lastSeen: 0 }, "the list and the object say the same");
  await assert.rejects(list({ selector: "a b" }), /label selector, character 3/);
});

test("the API server away, 410, watches that drop, half an object: all that was sent has arrived", async () => {
  const sent = new Set(["uid-Pod-web-1-a"]);
  const send = (name: string): void => {
    fake.put(pods, pod(name));
    sent.add(`uid-Pod-${name}`);
  };
  for (let n = 0; n < 30; n++) {
    send(`dropped-${n}`);
    if (n % 10 === 5) fake.drop();
    if (n % 10 === 9) fake.drop({ half: pod("half") });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await until("those of dropped watches have arrived", async () => (await uids()).size === sent.size);

  fake.away();
  await until("it says that the API server is away", async () => (await east())?.state === "failed");
  const away = await east();
  assert.match(away?.reason ?? "", /does not answer/);
  assert.notEqual(away?.remedy, "");
  assert.deepEqual(await uids(), sent, "what was known is kept");
  const syncedAt = away?.syncedAt;
  for (let n = 0; n < 20; n++) send(`away-${n}`);
  fake.remove(pods, "uid-Pod-dropped-0");
  fake.compact();
  fake.back();
  // It answers again before the list that it has to give anew is whole.
  await until("it is well again, and read whole", async () => {
    const now = await east();
    return now?.state === "ok" && (now.syncedAt ?? 0) > (syncedAt ?? 0) && (now.counters["relists"] ?? 0) >= 1;
  });
  sent.delete("uid-Pod-dropped-0");
  await until("all that came meanwhile has arrived", async () => isDeepStrictEqual(await uids(), sent));
  assert.deepEqual(await uids(true), new Set(["uid-Pod-dropped-0"]));
});

test("a pod that lives for a moment is known with its labels, and one that takes its name at once is another", async () => {
  fake.put(pods, pod("job", { uid: "uid-first", labels: { run: "1" } }));
  fake.remove(pods, "uid-first");
  fake.put(pods, pod("job", { uid: "uid-second", labels: { run: "2" } }));
  await until("both have arrived", async () => (await list({ q: "job" }))[0]?.uid === "uid-second");
  const [gone] = await list({ q: "job", deleted: "true" });
  assert.equal(gone?.uid, "uid-first");
  assert.deepEqual(gone.labels, { run: "1" });
  assert.deepEqual(
    gone.owners.map(({ name }) => name),
    ["web-1", "web"],
  );
});

test("a label that changes is found under its new value, and open pages hear of it", async () => {
  const heard = AbortSignal.timeout(10_000);
  const stream = await fetch(`${server.url}/api/v1/stream`, { headers: await server.login(), signal: heard });
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  fake.put(pods, pod("web-1-a", { labels: { app: "canary" } }));
  let text = "";
  while (!text.includes("event: cluster")) text += (await reader?.read())?.value ?? "";
  assert.match(text, /"cluster":"east","kinds":\{"Pod":1\}/);
  assert.equal((await list({ selector: "app=canary" })).length, 1);
  assert.equal((await list({ selector: "app=web" })).length, 0);
  await reader?.cancel();
});

test("each node says whether an agent watches it, and why not", async () => {
  const coverage = async (): Promise<string> =>
    (await person.getCluster({ params: { id: "east" } })).coverage
      .map(({ node, state, detail }) => `${node} ${state} ${detail}`.trim())
      .join("; ");
  assert.equal(await coverage(), "node-1 no-pod; node-2 no-pod");
  const labels = { "app.kubernetes.io/name": "bulwark", "app.kubernetes.io/component": "agent" };
  const waiting = { containerStatuses: [{ name: "c", state: { waiting: { reason: "CrashLoopBackOff" } } }] };
  const spec = (nodeName: string): object => ({ nodeName, containers: [{ name: "c", image: "i" }] });
  fake.put(
    pods,
    pod("agent-1", { labels }, { spec: spec("node-1") }),
    pod("agent-2", { labels }, { spec: spec("node-2"), status: { phase: "Running", ...waiting } }),
  );
  await until("both pods are known", async () => !(await coverage()).includes("no-pod"));
  assert.equal(await coverage(), "node-1 never-joined agent-1: Running; node-2 not-ready agent-2: CrashLoopBackOff");
  const told = { id: "agent", state: "ok" as const, summary: "", reason: "", remedy: "", counters: {}, updatedAt: 1 };
  const join = async (node: string, version: string): Promise<void> => {
    const components = [{ ...told, node, version }];
    await server.client(await server.agent(`east/${node}`)).ingest({
      body: batchOf([{ type: "health", components }], { node }),
    });
  };
  // One of that name in another cluster is another node.
  await server.client(await server.agent()).ingest({
    body: batchOf([{ type: "health", components: [{ ...told, node: "node-1" }] }]),
  });
  assert.match(await coverage(), /^node-1 never-joined/);
  await join("node-1", "0.0.0-test");
  await join("node-2", "0.0.0-old");
  assert.equal(await coverage(), "node-1 covered; node-2 version 0.0.0-old, server 0.0.0-test");
  assert.deepEqual((await east())?.nodes, { covered: 2, total: 2 });
  const taints = [{ key: "gpu", value: "yes", effect: "NoSchedule" }];
  fake.put(nodes, object("Node", "node-3", { spec: { taints, unschedulable: true } }));
  await until("the third node is known", async () => (await coverage()).includes("node-3"));
  assert.match(await coverage(), /node-3 no-pod NotReady, cordoned; gpu=yes:NoSchedule$/);
});

test("an API server's own token brings its audit log, once, and nothing else", async () => {
  const { secret, kubeconfig } = await person.createAuditToken({ params: { id: "east" }, body: { days: 365 } });
  assert.match(kubeconfig, new RegExp(secret));
  const headers = { authorization: `Bearer ${secret}` };
  const record = (n: number): object => ({
    level: "RequestResponse",
    auditID: `id-${n}`,
    stage: "ResponseComplete",
    verb: "get",
    requestURI: `/api/v1/namespaces/shop/secrets/s${n}`,
    user: { username: "jane", groups: ["dev"] },
    sourceIPs: ["192.0.2.9"],
    objectRef: { resource: "secrets", namespace: "shop", name: `s${n}`, apiVersion: "v1" },
    responseStatus: { code: 200 },
    responseObject: { data: { password: "aHVudGVyMg==" } },
    stageTimestamp: new Date(1_700_000_000_000 + n).toISOString(),
    annotations: { "authorization.k8s.io/decision": "allow" },
  });
  const list_ = (...items: unknown[]): object => ({ kind: "EventList", apiVersion: "audit.k8s.io/v1", items });
  const url = `${server.url}/api/kubernetes/v1/audit`;
  const items = Array.from({ length: 400 }, (_, n) => record(n));
  const first = await post(url, list_(...items, { nonsense: true }), headers);
  assert.deepEqual(await first.json(), { stored: 400, known: 0, unreadable: 1 });
  const again = await post(url, list_(...items), headers);
  assert.deepEqual(await again.json(), { stored: 0, known: 400, unreadable: 0 });
  const page = await person.listEvents({ query: { kind: "audit", q: "shop/secrets/s399", limit: 10 } });
  assert.equal(page.items.length, 1);
  const [event] = page.items;
  assert.ok(event?.kind === "audit" && event.audit.user === "jane" && event.audit.cluster === "east");
  assert.ok(!JSON.stringify(event).includes("aHVudGVyMg"), "no body of an answer is kept");

  assert.equal(await refusal(post(url, list_())), "401 unauthenticated");
  assert.equal(await refusal(fetch(`${server.url}/api/v1/alerts`, { headers })), "403 forbidden");
  assert.equal(await refusal(post(`${server.url}/api/agent/v1/records`, {}, headers)), "403 forbidden");
  assert.equal(await refusal(post(url, list_(), await server.agent())), "403 forbidden");
  assert.equal(await refusal(post(url, { kind: "Pod" }, headers)), "400 invalid");
  assert.ok(!(await person.listTokens()).items.some(({ name }) => name.includes("audit log")));
});

test("what an API server is asked for and a rule is about is an alert, with the pod's labels and workload", async () => {
  const { secret } = await person.createAuditToken({ params: { id: "east" }, body: { days: 1 } });
  const headers = { authorization: `Bearer ${secret}` };
  const url = `${server.url}/api/kubernetes/v1/audit`;
  const exec = (id: string, stage: string, user = "jane"): object => ({
    ...{ auditID: id, stage, verb: "create", user: { username: user }, userAgent: "kubectl/v1.36" },
    requestURI: "/api/v1/namespaces/shop/pods/web-1-a/exec?command=id",
    objectRef: { resource: "pods", subresource: "exec", namespace: "shop", name: "web-1-a" },
    stageTimestamp: new Date().toISOString(),
    annotations: { "authorization.k8s.io/decision": "allow" },
  });
  const send = async (...items: object[]): Promise<void> => {
    const answer = await post(url, { kind: "EventList", apiVersion: "audit.k8s.io/v1", items }, headers);
    assert.equal(answer.status, 200);
  };
  const told = async () => (await person.listAlerts({ query: { rule: "command-run-in-a-pod" } })).items;

  await send(exec("one", "ResponseStarted"), exec("one", "ResponseComplete"));
  const [once] = await told();
  assert.equal(once?.repeats, undefined, "begun and ended is once");
  const page = await openPage(server, await server.login(), "repeats");
  await page.next();
  await send(exec("two", "ResponseStarted"), exec("two", "ResponseComplete"), exec("three", "ResponseComplete"));
  // As an API server does that had no answer.
  await send(exec("one", "ResponseComplete"), exec("two", "ResponseComplete"), exec("three", "ResponseComplete"));
  const [alert, ...more] = await told();
  assert.deepEqual(more, [], "the same again within the hour is one alert");
  assert.equal(alert?.repeats?.count, 2);
  assert.ok(alert.repeats.last >= alert.time);
  assert.deepEqual((await page.next())?.data, { repeats: [{ alert: alert.id, ...alert.repeats }] });
  page.close();
  assert.ok(alert?.request);
  const { user, uid, labels, owners, cluster } = alert.request;
  assert.deepEqual([user, cluster, uid, labels], ["jane", "east", "uid-Pod-web-1-a", { app: "web" }]);
  assert.deepEqual(
    owners.map(({ kind, name }) => `${kind}/${name}`),
    ["ReplicaSet/web-1", "Deployment/web"],
  );
  assert.equal(alert.process, null);
  const object = await person.listAlerts({ query: { object: `east/${uid}` } });
  assert.deepEqual(
    object.items.map(({ id }) => id),
    [alert.id],
    "the pod's own page has it",
  );

  const scope = { namespaces: ["shop"], images: [], containers: [], labels: "app=web" };
  const body = { rule: alert.rule, scope, executable: "ann", reason: "r", expiresAt: Date.now() + 60_000 };
  await person.createException({ body });
  const bob = [5, 6, 7].map((n) => exec(`bob-${n}`, "ResponseComplete", "bob"));
  await send(exec("four", "ResponseComplete", "ann"), exec("ann", "ResponseComplete", "ann"), ...bob);
  assert.deepEqual(
    (await told()).map(({ request, id, repeats }) => [request?.user, id.split("/")[2], repeats?.count]),
    [
      ["bob", "bob-5", 2],
      ["jane", "one", 2],
    ],
    "in one batch it is the first that is raised",
  );
});
