import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ApiError, routes, type Client } from "@bulwark/contract";
import { registrySettings, type ActionRecord, type AgentRecord, type ToldRule } from "@bulwark/model";
import { createRequest } from "@bulwark/identity";
import {
  joinAgent,
  joinWith,
  sampleAlert,
  sampleContainer,
  sampleEvent,
  samplePod,
  sampleReport,
  sampleWeakness,
} from "@bulwark/testkit";
import { batchOf, startTestServer, type TestServer } from "../server.fixture.ts";

const records: AgentRecord[] = [
  { type: "container", container: sampleContainer(1) },
  { type: "container", container: sampleContainer(2, { privileged: true }) },
  { type: "event", event: sampleEvent(1) },
  { type: "event", event: sampleEvent(2) },
  { type: "alert", alert: sampleAlert(1) },
  { type: "image", report: sampleReport(1) },
  {
    type: "health",
    components: [
      {
        id: "sensor",
        node: "node-1",
        state: "degraded",
        summary: "sees little",
        reason: "no BPF",
        remedy: "run as root",
        counters: { "lost.ring": 3 },
        updatedAt: Date.now(),
      },
    ],
  },
];

const isRefused = (code: string) => (error: unknown) => error instanceof ApiError && error.problem.code === code;

describe("every route, in the order of a working day", () => {
  let server: TestServer;
  let person: Client;
  after(async () => server[Symbol.asyncDispose]());
  before(async () => {
    server = await startTestServer({ agents: true });
    person = server.client(await server.login());
  });

  test("an agent's records are acknowledged with the highest number on disk", async () => {
    const agent = server.client(await server.agent());
    assert.deepEqual(await agent.ingest({ body: batchOf(records) }), { stored: records.length, settings: 0 });
    assert.deepEqual(await agent.ingest({ body: batchOf(records) }), { stored: records.length, settings: 0 });
    assert.equal((await person.listEvents({ query: {} })).items.length, 2, "a batch that came twice is there once");
  });

  test("how a host is set up; benchmarks.test.ts has the rest", async () => {
    const report = {
      ...{ subject: { kind: "host" as const, name: "node-1" }, collectedAt: 1, durationMs: 1 },
      ...{ sets: [], results: [] },
    };
    const agent = server.client(await server.agent());
    await agent.ingest({ body: { ...batchOf([{ type: "benchmark", report }]), spool: "benchmarks" } });
    assert.equal((await person.listBenchmarks({ query: {} })).subjects.length, 1);
    const [item] = (await person.listBenchmarkChecks({ params: { id: "kernel" } })).items;
    assert.ok(item);
    assert.deepEqual((await person.getBenchmarkCheck({ params: { id: item.check } })).subjects, []);
    await person.exportBenchmark({ params: { id: "kernel" }, query: { format: "json" } });
    assert.deepEqual((await person.getBenchmarkResults({ query: { kind: "host", name: "node-1" } })).results, []);
    const body = { check: item.check, subject: null, reason: "a lab", days: 1 };
    await person.deleteBenchmarkException({ params: { id: (await person.createBenchmarkException({ body })).id } });
  });

  test("the session tells who is there", async () => {
    const session = await person.getSession();
    assert.deepEqual(session.user, { name: "admin", hasPassword: false });
    assert.ok(session.expiresAt > Date.now());
  });

  test("containers and images are listed, and found by their keys", async () => {
    const { items } = await person.listContainers({ query: { state: "running" } });
    assert.deepEqual(items.map((item) => item.name).sort(), ["web-1", "web-2"]);
    assert.deepEqual(await person.getContainer({ params: { id: sampleContainer(1).id } }), sampleContainer(1));

    const [image] = (await person.listImages({ query: { q: "web" } })).items;
    assert.ok(image);
    assert.deepEqual(await person.judgeImage({ params: { id: image.key } }), { items: [] }, "no image policy is set");
    // The key holds slashes, colons and an @.
    const { summary, report } = await person.getImage({ params: { id: image.key } });
    assert.deepEqual(summary, image);
    assert.deepEqual(report, sampleReport(1));
  });

  test("pages follow each other without hole or repetition", async () => {
    const first = await person.listEvents({ query: { limit: 1 } });
    assert.ok(first.next);
    const second = await person.listEvents({ query: { limit: 1, cursor: first.next } });
    assert.deepEqual(
      [...first.items, ...second.items].map((event) => event.id),
      ["node-1/boot/2", "node-1/boot/1"],
    );
    assert.equal(second.next, null);
  });

  test("an alert is acknowledged, and that is in the audit log", async () => {
    const [alert] = (await person.listAlerts({ query: { severity: "critical,high", state: "open" } })).items;
    assert.ok(alert);
    const body = { state: "acknowledged", comment: "a drill" } as const;
    await person.updateAlert({ params: { id: alert.id }, body });
    const changed = await person.getAlert({ params: { id: alert.id } });
    assert.deepEqual({ state: changed.state, comment: changed.comment }, body);
    const [entry] = (await person.listAudit({ query: { limit: 1 } })).items;
    assert.deepEqual([entry?.actor, entry?.action, entry?.target], ["admin", "alert.update", alert.id]);
  });

  test("findings are listed and deferred", async () => {
    const { key } = sampleReport(1);
    await server.store.findings.replace(key, [sampleWeakness(0), sampleWeakness(1)], ["vulnerability"], Date.now());
    const { items } = await person.listFindings({ query: { running: "true", fixable: "true" } });
    assert.equal(items.length, 1);
    const id = items[0]?.fingerprint ?? "";
    assert.equal((await person.updateFinding({ params: { id }, body: { state: "deferred" } })).state, "deferred");
    assert.equal((await person.getFinding({ params: { id } })).state, "deferred");
  });

  test("findings are told by what they are and by package, and counted by day", async () => {
    const query = { running: "true", by: "package" } as const;
    const packages = (await person.listFindingGroups({ query })).items;
    assert.deepEqual(
      packages.map(({ name, findings, images, runningImages }) => [name, findings, images, runningImages]),
      [
        ["lib0", 1, 1, 1],
        ["lib1", 1, 1, 1],
      ],
    );
    const { items } = await person.listFindingGroups({ query: { kind: "vulnerability", state: "open" } });
    assert.deepEqual(
      items.map(({ name }) => name),
      ["CVE-2024-1001"],
    );
    const trend = (await person.getFindingTrend({ query: {} })).items;
    assert.equal(trend.at(-1)?.open.high, 1);
  });

  test("an image has a bill of materials in two forms, and its scan is told of", async () => {
    const { key, name } = sampleReport(1);
    const forms = await Promise.all(
      (["cyclonedx", "spdx"] as const).map(async (format) =>
        person.getImageSbom({ params: { id: key }, query: { format } }),
      ),
    );
    assert.equal(forms[0]?.["bomFormat"], "CycloneDX");
    assert.equal(forms[1]?.["spdxVersion"], "SPDX-2.3");
    for (const form of forms) assert.match(JSON.stringify(form), /libssl3/);
    const times = { queuedAt: 1, startedAt: 2, finishedAt: null, nextAt: null };
    const scan = { place: "node-1", key, name, origin: "running", state: "running", attempts: 1, reason: "" } as const;
    const told = { type: "scan", scan: { ...scan, done: 1, total: 3, ...times } } as const;
    await server.client(await server.agent()).ingest({ body: batchOf([told], { spool: "scans" }) });
    assert.equal((await person.listScans({ query: { state: "running" } })).items[0]?.total, 3);
    assert.equal((await person.countScans()).counts.running.running, 1);
  });

  test("a registry is connected, changed, asked for again, and removed", async () => {
    const settings = registrySettings.parse({ name: "Shop", url: "http://127.0.0.1:1", everyHours: null });
    const { registry } = await person.addRegistry({ body: { settings, credentials: null } });
    const params = { id: registry.id };
    assert.equal((await person.listRegistries()).items.length, 1);
    const changed = { settings: { ...settings, name: "Store" } };
    assert.equal((await person.changeRegistry({ params, body: changed })).settings.name, "Store");
    assert.equal((await person.getRegistry({ params })).settings.name, "Store");
    await person.scanRegistry({ params, body: { again: true } });
    assert.deepEqual((await person.listRegistryImages({ params, query: {} })).items, []);
    const { token } = await person.newRegistryHook({ params });
    const taken = await person.takeRegistryHook({ params: { ...params, token }, body: { events: [] } });
    assert.deepEqual(taken, { queued: 0 });
    await person.removeRegistry({ params });
    assert.equal((await person.listRegistries()).items.length, 0);
  });

  test("the overview counts what is there", async () => {
    const overview = await person.getOverview();
    assert.deepEqual(overview.containers, { running: 2, privileged: 1 });
    assert.equal(overview.images, 1);
    assert.equal(overview.nodes, 1);
    assert.equal(overview.openFindings.high, 1);
    assert.equal(overview.openFindings.critical, 0, "a deferred finding is not open");
    assert.equal(overview.alertsByHour.length, 24);
    assert.equal(overview.latestAlerts.length, 1);
    assert.deepEqual(
      overview.worstImages.map((image) => image.key),
      [sampleReport(1).key],
    );
    assert.ok(overview.troubles.some((item) => item.id === "sensor"));
  });

  test("a node on which nothing runs is a node", async () => {
    const component = { id: "sensor", node: "node-2", state: "ok", summary: "", reason: "", remedy: "" } as const;
    const components = [{ ...component, counters: {}, updatedAt: Date.now() }];
    const idle = server.client(await server.agent("node-2"));
    await idle.ingest({ body: batchOf([{ type: "health", components }], { node: "node-2", spool: "idle" }) });
    assert.equal((await person.getOverview()).nodes, 2);
  });

  test("health tells of the server's parts and of the nodes'", async () => {
    const { version, components } = await person.getHealth();
    assert.equal(version, "0.0.0-test");
    const states = Object.fromEntries(components.map((item) => [`${item.node}/${item.id}`, item.state]));
    assert.equal(states["server/database"], "ok");
    assert.equal(states["server/bus"], "ok");
    assert.equal(states["server/api"], "ok");
    assert.equal(states["server/advisories"], "off", "without a database it is off, and says so");
    assert.equal(states["node-1/sensor"], "degraded");
    const advisories = components.find((item) => item.id === "advisories");
    assert.equal(advisories?.remedy, "bulwark db update");
  });

  test("a token is made, listed without its secret, used and revoked", async () => {
    const made = await person.createToken({ body: { name: "ci", scope: "read", days: 30 } });
    const { secret, ...rest } = made;
    assert.match(secret, /^blw_/);
    const client = server.client({ authorization: `Bearer ${secret}` });
    assert.equal((await client.getSession()).user.name, `token:${rest.id}`);
    const { items } = await person.listTokens();
    assert.deepEqual(
      items.map((item) => item.id),
      [rest.id],
      "agents' tokens are not a person's",
    );
    assert.ok(items[0]?.lastUsedAt);
    await person.deleteToken({ params: { id: rest.id } });
    await assert.rejects(client.getSession(), (error) => error instanceof ApiError && error.status === 401);
  });

  test("agents of other machines join, are listed and revoked, and are told what holds for all", async () => {
    const { token } = await person.createJoinToken({ body: { node: "worker-1", cluster: "east", hours: 1 } });
    await joinAgent(server.agentsUrl ?? "", token, "worker-1");
    assert.deepEqual(
      (await person.listAgents()).items.map(({ node, cluster }) => [node, cluster]),
      [["worker-1", "east"]],
    );
    await person.revokeAgent({ params: { id: "east/worker-1" } });
    const settings = await person.setAgentSettings({ body: { disabledRules: ["drift"] } });
    assert.deepEqual(await person.getAgentSettings(), settings);
    assert.deepEqual(await server.client(await server.agent()).readAgentSettings(), settings);
  });

  test("what is done about an alert: allowed, ordered once, answered by the node's own agent, undone, on record", async () => {
    const node = "node-1";
    const agent = server.client(await server.agent(node));
    const container = sampleContainer(1, { node });
    const tell = async (first: number, records: AgentRecord[], spool = "spool-of-actions"): Promise<void> => {
      await agent.ingest({ body: { node, spool, first, records } });
    };
    await tell(1, [{ type: "container", container }]);
    const scope = { namespaces: [], images: [], containers: [], labels: "" };
    const policy = { name: "web", scope, mode: "enforce" as const, system: false, automatic: null };
    await person.setResponsePolicy({ params: { id: "p" }, body: { ...policy, actions: ["freeze"] } });
    const expiresAt = Date.now() + 60_000;
    const waiver = { rule: "drift", scope, executable: "", reason: "expected", expiresAt };
    const exception = await person.createException({ body: waiver });
    await assert.rejects(person.createException({ body: { ...waiver, expiresAt: 1 } }), isRefused("invalid"));
    const settings = await person.getAgentSettings();
    assert.deepEqual([settings.responses.length, settings.exceptions], [1, [exception]]);
    assert.deepEqual(settings.disabledRules, ["drift"], "what else was said stays");
    await person.deleteException({ params: { id: exception.id } });
    await person.deleteResponsePolicy({ params: { id: "p" } });
    assert.match(
      (await person.getRuleText({ params: { id: "release-agent-of-a-cgroup-written" }, query: {} })).rule?.text ?? "",
      /^- rule:/,
    );
    assert.deepEqual(await person.getRuleText({ params: { id: "reverse-shell" }, query: {} }), { rule: null });
    const mine = { rule: "mine", file: "/etc/own.yaml", line: 1, text: "- rule: Mine" };
    const write = async (first: number, rule: Partial<ToldRule>): Promise<void> =>
      tell(first, [{ type: "rule", rule: { ...mine, node, since: 5, ...rule } }], "spool-of-rules");
    await write(1, {});
    const { rule: _rule, ...written } = mine;
    assert.deepEqual(await person.getRuleText({ params: { id: "mine" }, query: { node } }), {
      rule: { ...written, changedAt: null },
    });
    await write(2, { text: "- rule: Mine, mended", since: 9 });
    const { rule: mended } = await person.getRuleText({ params: { id: "mine" }, query: { node } });
    assert.deepEqual([mended?.text, mended?.changedAt], ["- rule: Mine, mended", 9]);
    const elsewhere = await person.getRuleText({ params: { id: "mine" }, query: {} });
    assert.deepEqual(elsewhere, { rule: null }, "it is the node's own");
    await assert.rejects(write(3, { node: "another" }), isRefused("forbidden"));

    const action = { kind: "freeze" as const, limitMs: 60_000 };
    const body = { container: container.id, alert: null, action, reason: "shell", dryRun: false };
    const ordered = await person.orderAction({ body });
    assert.deepEqual([ordered.state, ordered.by, ordered.node], ["ordered", "admin", node]);
    await assert.rejects(person.undoAction({ params: { id: ordered.id } }), isRefused("conflict"));
    const { orders } = await agent.takeOrders({ body: { taken: [] } });
    assert.deepEqual(
      orders.map(({ id, order }) => [id, order.kind]),
      [[ordered.id, "act"]],
    );
    const until = Date.now() + 60_000;
    const record: ActionRecord = { ...ordered, state: "done", text: "frozen", until };
    // Another node's agent cannot say what became of it.
    const other = server.client(await server.agent("node-2"));
    const foreign = { type: "action", action: { ...record, node: "node-2", state: "undone" } } as const;
    await other.ingest({ body: { node: "node-2", spool: "s", first: 1, records: [foreign] } });
    assert.equal((await person.getAction({ params: { id: ordered.id } })).state, "ordered");
    await tell(2, [{ type: "action", action: record }]);
    assert.deepEqual(await person.getAction({ params: { id: ordered.id } }), record);
    assert.deepEqual((await person.listActions({ query: { container: container.id } })).items, [record]);
    await person.undoAction({ params: { id: ordered.id } });
    const next = await agent.takeOrders({ body: { taken: [ordered.id] } });
    assert.deepEqual(
      next.orders.map(({ order }) => order),
      [{ kind: "undo", action: ordered.id }],
    );
    const { items } = await person.listAudit({ query: { limit: 50 } });
    const said = items.filter(({ target }) => target === container.id).map((entry) => `${entry.actor} ${entry.action}`);
    assert.deepEqual(said, ["admin action.undo", `agent:${node} action.done`, "admin action.order"]);
  });

  test("a cluster elsewhere is told of by its collector, is read object by object, and can be forgotten", async () => {
    const { token } = await person.createJoinToken({ body: { cluster: "west", hours: 1 } });
    const agentsUrl = server.agentsUrl ?? "";
    assert.equal((await joinWith(agentsUrl, token, "cluster:other", (await createRequest()).request)).status, 403);
    const collector = await joinAgent(agentsUrl, token, "cluster:west");
    const pod = samplePod(1, { cluster: "west" });
    const status = { uid: "u", version: "v1.36.3", state: "ok", reason: "", remedy: "", syncedAt: 1, counters: {} };
    const path = "/api/agent/v1/cluster";
    const told = await collector.post(path, { session: "s", changes: [{ type: "put", object: pod }], status });
    assert.deepEqual(told, { status: 200, body: { changed: 1, known: false } });
    const again = await collector.post(path, { session: "s", changes: [{ type: "put", object: pod }] });
    assert.deepEqual(again.body, { changed: 0, known: true });
    const foreign = { type: "put", object: samplePod(2, { cluster: "east" }) };
    assert.equal((await collector.post(path, { session: "s", changes: [foreign] })).status, 403);
    assert.equal((await collector.post(path, { session: "another", changes: [] })).status, 409);
    await collector.post(path, { session: "another", changes: [], leaving: true });
    assert.equal(
      (await collector.post(path, { session: "another", changes: [] })).status,
      409,
      "none leaves for another",
    );
    await collector.post(path, { session: "s", changes: [], leaving: true });
    assert.equal(
      (await collector.post(path, { session: "another", changes: [] })).status,
      200,
      "one that left is gone",
    );
    const record = { type: "containers", node: "cluster:west", running: [] };
    assert.equal((await collector.send(1, [record as never])).status, 403, "it speaks for no node");

    assert.deepEqual((await person.listPolicies()).unjudged, [], "what its collector tells is judged");
    const west = (await person.listClusters()).items.find(({ name }) => name === "west");
    assert.deepEqual([west?.state, west?.objects], ["ok", { Pod: 1 }]);
    assert.deepEqual((await person.getCluster({ params: { id: "west" } })).coverage, []);
    const { items } = await person.listKubeObjects({ query: { cluster: "west" } });
    assert.deepEqual(
      items.map(({ uid }) => uid),
      [pod.uid],
    );
    assert.equal((await person.getKubeObject({ params: { cluster: "west", uid: pod.uid } })).name, pod.name);
    const whole = await person.listWholeObjects({ params: { id: "west" }, query: { kind: "Pod", limit: 10 } });
    assert.deepEqual(whole.items, [{ namespace: pod.namespace, name: pod.name, object: null }], "told in parts");
    const { secret } = await person.createAuditToken({ params: { id: "west" }, body: { days: 1 } });
    const api = server.client({ authorization: `Bearer ${secret}` });
    const list = { kind: "EventList" as const, apiVersion: "audit.k8s.io/v1" as const, items: [] };
    assert.deepEqual(await api.ingestAudit({ body: list }), { stored: 0, known: 0, unreadable: 0 });
    await person.forgetCluster({ params: { id: "west" } });
    assert.equal((await person.listKubeObjects({ query: { cluster: "west" } })).items.length, 0);
  });

  test("with a password the next login needs no link; logging out ends the session", async () => {
    const password = "a long enough password";
    await person.setPassword({ body: { password } });
    const stranger = server.client();
    assert.equal((await stranger.loginWithPassword({ body: { name: "admin", password } })).user.hasPassword, true);
    const link = new URL(await server.createLoginLink());
    const token = new URLSearchParams(link.hash.slice(1)).get("token") ?? "";
    await stranger.loginWithLink({ body: { token } });
    await person.logout();
    await assert.rejects(person.getSession(), (error) => error instanceof ApiError && error.status === 401);
  });

  test("what is not there is not found", async () => {
    const client = server.client(await server.login());
    const lookups = [
      () => client.getContainer({ params: { id: "none" } }),
      () => client.getImage({ params: { id: "docker.io/library/none@sha256:00" } }),
      () => client.judgeImage({ params: { id: "docker.io/library/none@sha256:00" } }),
      () => client.getAlert({ params: { id: "a/b/c" } }),
      () => client.getFinding({ params: { id: "none" } }),
      () => client.updateAlert({ params: { id: "none" }, body: { state: "closed" } }),
      () => client.updateFinding({ params: { id: "none" }, body: { state: "open" } }),
      () => client.deleteToken({ params: { id: "none" } }),
    ];
    for (const lookup of lookups) {
      await assert.rejects(lookup(), (error) => error instanceof ApiError && error.problem.code === "not-found");
    }
  });

  test("policies are listed and set without a webhook too, and its authority is not there to be changed", async () => {
    const client = server.client(await server.login());
    const { items, webhook } = await client.listPolicies();
    assert.equal(webhook, null);
    const policy = { params: { id: "no-latest-tag" } };
    assert.equal(items.find(({ name }) => name === "no-latest-tag")?.setting, null);
    const body = { mode: "warn", from: null, failurePolicy: "Ignore", excludedNamespaces: [], fix: false } as const;
    await client.setPolicy({ ...policy, body: { ...body, excludedNamespaces: [...body.excludedNamespaces] } });
    const found = await client.getPolicy(policy);
    assert.equal(found.setting?.mode, "warn");
    const document = { params: { id: "mine" } };
    const text = found.text.replaceAll("no-latest-tag", "mine");
    const preview = await client.previewPolicies({ body: { text } });
    assert.deepEqual(
      [preview.looks, preview.policies.map(({ policy, judged }) => `${policy} ${judged}`)],
      [[], ["mine 0"]],
    );
    assert.deepEqual(await client.listPolicyViolations({ query: {} }), { items: [], next: null });
    assert.deepEqual(await client.putPolicyDocument({ ...document, body: { text } }), { policies: ["mine"] });
    await client.deletePolicyDocument(document);
    assert.deepEqual(await client.listAdmissionDecisions({ query: {} }), { items: [], next: null });
    await assert.rejects(client.rotateWebhookAuthority(), /the webhook is off/);
  });

  test("no workload is cut from the network that nobody has told of; quarantines.test.ts has the rest", async () => {
    const client = server.client(await server.login());
    assert.deepEqual((await client.listWorkloadQuarantines({ query: {} })).items, []);
    await assert.rejects(client.undoWorkloadQuarantine({ params: { id: "none" } }), isRefused("not-found"));
  });

  test("who talks to whom; network.test.ts has the rest", async () => {
    const client = server.client(await server.login());
    assert.deepEqual((await client.listNetworkEdges({ query: {} })).items, []);
    assert.deepEqual(await client.listNetworkFlows({ query: {} }), { items: [], next: null });
    await client.listNetworkContainers({ query: { cluster: "default", key: "/web" } });
    const cluster = "default";
    const body = { cluster, namespaces: [], grain: "workload", names: false, dns: true } as const;
    assert.equal((await client.learnNetworkPolicies({ body: { ...body, namespaces: [] } })).text, "");
    await client.replayNetworkPolicies({ body: { cluster, text: "", remove: [] } });
    assert.deepEqual((await client.listNetworkPolicies({ query: {} })).items, []);
    const text = `{ kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, metadata: { name: a }, spec: { podSelector: {} } }`;
    const wish = { cluster, text, remove: [], mode: "enforce", confirmMinutes: 5, reason: "a drill" } as const;
    const { id, state } = await client.publishNetworkPolicies({ body: { ...wish, remove: [] } });
    assert.equal(state, "handed-out");
    assert.equal((await client.listNetworkPolicyDocuments({ query: {} })).items.length, 1);
    await client.getNetworkPolicyDocument({ params: { id } });
    await assert.rejects(client.confirmNetworkPolicies({ params: { id } }), isRefused("conflict"));
    await client.undoNetworkPolicies({ params: { id } });
  });

  test("no route was left out", () => {
    // Those are answered on the agents' listener only: above, and agents.test.ts; or by a webhook: webhook.test.ts; or for a cluster: network.test.ts; or of workloads: quarantines.test.ts.
    const cutting = ["quarantineWorkload", "undoWorkloadQuarantine"];
    const others = new Set(["putCluster", "rotateWebhookAuthority", "confirmNetworkPolicies", ...cutting]);
    const elsewhere = Object.entries(routes).filter(([name, { tag }]) => tag === "identity" || others.has(name));
    const names = Object.keys(routes).filter((name) => !elsewhere.some(([other]) => other === name));
    assert.deepEqual([...server.answered].sort(), names.sort());
  });
});
