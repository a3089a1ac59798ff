import assert from "node:assert/strict";
import { test } from "node:test";
import { createAuthority, createRequest, openAuthority, parseJoinToken, formatJoinToken } from "@bulwark/identity";
import type { AgentRecord, AuditEvent } from "@bulwark/model";
import {
  joinAgent,
  joinWith,
  postTls,
  sampleAlert,
  sampleContainer,
  sampleEvent,
  sampleReport,
  type TestAgent,
} from "@bulwark/testkit";
import { openStore } from "@bulwark/store";
import { join } from "node:path";
import { ServerError } from "../error.ts";
import { post, refusal, startTestServer, type TestServer } from "../server.fixture.ts";

async function joined(server: TestServer, node: string): Promise<TestAgent> {
  const { token } = await server.createJoinToken({ node, cluster: "east", hours: 1 });
  return joinAgent(server.agentsUrl ?? "", token, node);
}

test("an agent joins with a token, sends, renews, and is refused from the moment that it is revoked", async () => {
  await using server = await startTestServer({ agents: true });
  const agent = await joined(server, "worker-1");
  const event: AgentRecord = { type: "event", event: eventOf("worker-1", 1) };
  assert.deepEqual(await agent.send(1, [event]), { status: 200, body: { stored: 1, settings: 0 } });

  const { request } = await createRequest();
  const renewed = await agent.post("/api/agent/v1/certificate", { request });
  assert.equal(renewed.status, 200);
  assert.match(String(renewed.body["certificate"]), /BEGIN CERTIFICATE/);

  const person = server.client(await server.login());
  const [listed] = (await person.listAgents()).items;
  assert.deepEqual([listed?.node, listed?.cluster, listed?.revokedAt], ["worker-1", "east", null]);
  await person.revokeAgent({ params: { id: "east/worker-1" } });
  const refused = await agent.send(2, [{ type: "event", event: eventOf("worker-1", 2) }]);
  assert.deepEqual([refused.status, refused.body["code"]], [401, "unauthenticated"]);
  assert.match(String(refused.body["message"]), /revoked/);
  assert.equal((await person.listEvents({ query: {} })).items.length, 1);
  assert.ok((await person.listAgents()).items[0]?.revokedAt);
  await assert.rejects(person.revokeAgent({ params: { id: "east/worker-1" } }), /has no agent/);
  const { items } = await person.listAudit({ query: {} });
  const actions = new Set(items.map(({ action }) => action));
  for (const action of ["join-token.create", "agent.join", "agent.revoke"]) assert.ok(actions.has(action), action);
});

test("nodes of two clusters that have one name neither see nor overwrite each other", async () => {
  await using server = await startTestServer({ agents: true });
  const joinedTo = async (cluster: string): Promise<TestAgent> => {
    // For any node: the name is not taken, as it is another node.
    const { token } = await server.createJoinToken({ cluster, hours: 1 });
    return joinAgent(server.agentsUrl ?? "", token, "worker-1");
  };
  const agents = [await joinedTo("east"), await joinedTo("west"), await joinedTo("default")];
  const health = {
    id: "sensor",
    state: "ok" as const,
    summary: "",
    reason: "",
    remedy: "",
    counters: {},
    updatedAt: 1,
  };
  for (const [index, agent] of agents.entries()) {
    const container = sampleContainer(1, { id: "web", node: "worker-1", name: `web-${index}`, rootfs: "/r" });
    const image = { ...container.image, digest: null };
    const report = { ...sampleReport(1), key: "rootfs:worker-1:/r", digest: null };
    const audit = { ...auditOf("elsewhere", index), node: "worker-1" };
    const records: AgentRecord[] = [
      { type: "event", event: eventOf("worker-1", 1) },
      { type: "event", event: audit },
      {
        type: "alert",
        alert: sampleAlert(1, { node: "worker-1", id: "worker-1/boot/1", events: ["worker-1/boot/1"] }),
      },
      { type: "container", container: { ...container, image } },
      { type: "image", report },
      { type: "health", components: [{ ...health, node: "worker-1" }] },
    ];
    assert.deepEqual((await agent.send(1, records)).body, { stored: 6, settings: 0 });
  }
  // What is not in the list of one has gone there, and nowhere else.
  await agents[0]?.send(7, [{ type: "containers", node: "worker-1", running: [] }]);

  const person = server.client(await server.login());
  const ids = ["east/worker-1", "west/worker-1", "worker-1"];
  const alerts = (await person.listAlerts({ query: {} })).items;
  assert.deepEqual(alerts.map(({ node }) => node).toSorted(), ids);
  assert.deepEqual(
    alerts.flatMap(({ events }) => events).toSorted(),
    ids.map((id) => `${id}/boot/1`),
  );
  const events = (await person.listEvents({ query: { kind: "exec" } })).items;
  assert.deepEqual(
    events.map(({ id, node }) => `${node} ${id}`).toSorted(),
    ids.map((id) => `${id} ${id}/boot/1`),
  );
  const audited = (await person.listEvents({ query: { kind: "audit" } })).items;
  assert.deepEqual(
    audited
      .flatMap((event) => (event.kind === "audit" ? [`${event.node} ${event.audit.cluster} ${event.id}`] : []))
      .toSorted(),
    ["east/worker-1 east east/audit/0/s", "west/worker-1 west west/audit/1/s", "worker-1 default default/audit/2/s"],
  );
  const containers = (await person.listContainers({ query: {} })).items;
  assert.deepEqual(containers.map(({ node, name, state }) => `${node} ${name} ${state}`).toSorted(), [
    "east/worker-1 web-0 stopped",
    "west/worker-1 web-1 running",
    "worker-1 web-2 running",
  ]);
  assert.equal((await person.listContainers({ query: { node: "west/worker-1" } })).items.length, 1);
  const images = (await person.listImages({ query: {} })).items;
  assert.deepEqual(images.map(({ key, runningContainers }) => `${key} ${runningContainers}`).toSorted(), [
    "rootfs:east/worker-1:/r 0",
    "rootfs:west/worker-1:/r 1",
    "rootfs:worker-1:/r 1",
  ]);
  const { components } = await person.getHealth();
  assert.deepEqual(components.flatMap(({ id, node }) => (id === "sensor" ? [node] : [])).toSorted(), ids);

  await person.revokeAgent({ params: { id: "west/worker-1" } });
  const statuses = await Promise.all(
    agents.map(async (agent) => (await agent.send(9, [{ type: "event", event: eventOf("worker-1", 9) }])).status),
  );
  assert.deepEqual(statuses, [200, 401, 200]);
  const listed = (await person.listAgents()).items.map(({ cluster, revokedAt }) => `${cluster} ${revokedAt !== null}`);
  assert.deepEqual(listed, ["default false", "east false", "west true"]);
});

test("who has no certificate of this authority sends nothing", async () => {
  await using server = await startTestServer({ agents: true });
  const url = server.agentsUrl ?? "";
  const body = { node: "worker-1", spool: "s", first: 1, records: [{ type: "event", event: eventOf("worker-1", 1) }] };
  const path = "/api/agent/v1/records";
  const loose = { rejectUnauthorized: false };
  assert.equal((await postTls(url, path, body, loose)).status, 401);

  // One that a stranger signed, and one that this authority signed but that was never issued.
  const { key, request } = await createRequest();
  const stranger = await openAuthority(await createAuthority(Date.now()));
  const own = JSON.parse((await server.store.settings.get("agents.authority")) ?? "{}") as {
    certificate: string;
    key: string;
  };
  for (const authority of [stranger, await openAuthority(own)]) {
    const { certificate } = await authority.issueAgent(request, { node: "worker-1", cluster: "east" }, 7, Date.now());
    assert.equal((await postTls(url, path, body, { ...loose, cert: certificate, key })).status, 401);
  }
  // The people's API is not there, and a person's token does not help.
  const answer = await postTls(url, "/api/v1/join-tokens", {}, loose);
  assert.equal(answer.status, 404);
  assert.equal((await server.store.events.list({}, { limit: 1 })).items.length, 0);
});

test("a token for one node is for that node, once; a wrong one is refused, and slowed", async () => {
  await using server = await startTestServer({ agents: true });
  const url = server.agentsUrl ?? "";
  const { request } = await createRequest();
  const { token } = await server.createJoinToken({ node: "worker-1", cluster: "east", hours: 1 });
  assert.equal((await joinWith(url, token, "worker-2", request)).status, 403);
  assert.equal((await joinWith(url, token, "worker-1", request)).status, 200);
  assert.equal((await joinWith(url, token, "worker-1", request)).status, 200, "an answer that was lost");
  assert.equal((await joinWith(url, token, "worker-1", (await createRequest()).request)).status, 403);
  assert.equal((await joinWith(url, token, "a/b", request)).status, 400);
  assert.equal((await joinWith(url, "blwj_", "worker-1", request)).status, 401);
  const any = await server.createJoinToken({ cluster: "east", hours: 1 });
  const taken = await joinWith(url, any.token, "worker-1", (await createRequest()).request);
  assert.deepEqual([taken.status, taken.body["code"]], [409, "conflict"]);
  const wrong = formatJoinToken({ ...parseJoinToken(any.token), secret: "0".repeat(64) });
  const statuses = new Set<number>();
  for (let n = 0; n < 10; n++) statuses.add((await joinWith(url, wrong, "worker-3", request)).status);
  assert.deepEqual(statuses, new Set([401, 429]));
});

test("a node that was taken over writes nothing but what is its own", async () => {
  await using server = await startTestServer({ agents: true });
  const honest = await joined(server, "worker-1");
  const evil = await joined(server, "evil");
  const id = "ab".repeat(32);
  const container = sampleContainer(1, { id, node: "worker-1" });
  const report = sampleReport(1);
  const health = {
    id: "sensor",
    node: "worker-1",
    state: "ok",
    summary: "sees",
    reason: "",
    remedy: "",
    counters: {},
    updatedAt: Date.now(),
  };
  const own: object[] = [
    { type: "container", container },
    { type: "image", report },
    { type: "health", components: [health] },
  ];
  assert.equal((await honest.send(1, own)).status, 200);

  const { name, runtime, image, pod, labels } = container;
  const ref = { id, name, runtime, image, pod, labels };
  const lies: Record<string, object> = {
    "an event of another node": { type: "event", event: eventOf("worker-1", 9) },
    "an event with an id of another node's": {
      type: "event",
      event: { ...eventOf("evil", 9), id: "worker-1/boot/9" },
    },
    "an alert that takes the id of another node's": {
      type: "alert",
      alert: sampleAlert(1, { node: "evil", id: "worker-1/boot/alert-1" }),
    },
    "an event of another node's container": { type: "event", event: { ...eventOf("evil", 9), container: ref } },
    "an alert of another node's container": {
      type: "alert",
      alert: sampleAlert(1, { node: "evil", id: "evil/boot/1", container: ref }),
    },
    "another node's container as its own": { type: "container", container: { ...container, node: "evil" } },
    "a list of another node's containers": { type: "containers", node: "worker-1", running: [] },
    "health of another node": { type: "health", components: [{ ...health, state: "failed" }] },
    "health of the server": { type: "health", components: [{ ...health, node: "server" }] },
    "another node's root file system": {
      type: "image",
      report: { ...report, key: "rootfs:worker-1:/", digest: null },
    },
    "an image under a key that is not its digest's": {
      type: "image",
      report: { ...report, digest: `sha256:${"f".repeat(64)}` },
    },
  };
  for (const [what, lie] of Object.entries(lies)) assert.equal((await evil.send(1, [lie])).status, 403, what);

  // What every node may tell of: the image is then not what one says, but what all that was told holds.
  const empty = { ...report, scannedAt: Date.now() * 2, inventory: { ...report.inventory, packages: [] } };
  assert.equal((await evil.send(1, [{ type: "image", report: empty }])).status, 200);
  const contents = await server.store.images.contents(report.key);
  assert.equal(contents.flatMap(({ inventory }) => inventory.packages).length, 1);

  const person = server.client(await server.login());
  assert.equal((await person.getContainer({ params: { id } })).node, "east/worker-1");
  assert.equal((await person.listEvents({ query: {} })).items.length, 0);
  assert.equal((await person.listAlerts({ query: {} })).items.length, 0);
  const { components } = await person.getHealth();
  assert.equal(components.find(({ node }) => node === "east/worker-1")?.state, "ok");
  // An agent's certificate reads nothing of the people's API.
  const read = await postTls(
    server.agentsUrl ?? "",
    "/api/v1/alerts",
    {},
    {
      rejectUnauthorized: false,
      cert: evil.certificate,
      key: evil.key,
    },
  );
  assert.equal(read.status, 404);
});

test("what every agent is told has a new revision with each change, which each answer tells", async () => {
  await using server = await startTestServer({ agents: true });
  const agent = await joined(server, "worker-1");
  const person = server.client(await server.login());
  assert.deepEqual(await person.getAgentSettings(), {
    revision: 0,
    disabledRules: [],
    exceptions: [],
    responses: [],
    quarantines: [],
  });
  const set = await person.setAgentSettings({ body: { disabledRules: ["drift"] } });
  const answer = await agent.send(1, [{ type: "event", event: eventOf("worker-1", 1) }]);
  assert.equal(answer.body["settings"], set.revision);
  const again = await person.setAgentSettings({ body: { disabledRules: [] } });
  assert.ok(again.revision > set.revision);
  const local = server.client(await server.agent());
  assert.deepEqual(await local.readAgentSettings(), again);
});

test("only a person makes join tokens, and only where agents can connect", async () => {
  await using server = await startTestServer({ agents: true });
  const headers = await server.login();
  const person = server.client(headers);
  const { token, expiresAt } = await person.createJoinToken({ body: { cluster: "default", hours: 2 } });
  assert.ok(expiresAt > Date.now() + 7_000_000);
  await joinAgent(server.agentsUrl ?? "", token, "worker-9");
  const api = await person.createToken({ body: { name: "ci", scope: "write", days: 1 } });
  const bearer = { authorization: `Bearer ${api.secret}` };
  assert.equal(await refusal(post(`${server.url}/api/v1/join-tokens`, {}, bearer)), "403 forbidden");
  await using closed = await startTestServer();
  assert.equal(closed.agentsUrl, null);
  await assert.rejects(closed.createJoinToken({ cluster: "east", hours: 1 }), /cannot connect/);
});

test("the authority's key is encrypted where there is a secret, and opens with that one only", async () => {
  const secret = "a secret of thirty-two characters!";
  const other = "another secret of enough characters";
  await using server = await startTestServer({ agents: true });
  const plain = await server.store.settings.get("agents.authority");
  assert.match(plain ?? "", /PRIVATE KEY/);
  const file = join(server.data, "copy.db");
  await using store = await openStore({ sqlite: file });
  await store.settings.set("agents.authority", plain ?? "");
  const { loadAuthority } = await import("./authority.ts");
  const before = await loadAuthority(store, undefined);
  assert.equal(before.guard, "database");
  const sealed = await loadAuthority(store, secret);
  assert.deepEqual([sealed.guard, sealed.authority.fingerprint], ["secret", before.authority.fingerprint]);
  assert.doesNotMatch((await store.settings.get("agents.authority")) ?? "", /PRIVATE KEY/);
  assert.equal((await loadAuthority(store, secret)).authority.fingerprint, before.authority.fingerprint);
  for (const wrong of [undefined, other, "short"]) {
    await assert.rejects(loadAuthority(store, wrong), (error) => error instanceof ServerError && error.code === "key");
  }
});

test("metrics are for who has the metrics token, which opens nothing else", async () => {
  process.env["BULWARK_METRICS_TOKEN"] = "scraper";
  try {
    await using server = await startTestServer();
    const headers = { authorization: "Bearer scraper" };
    assert.equal((await fetch(`${server.url}/metrics`, { headers })).status, 200);
    assert.equal((await fetch(`${server.url}/metrics`)).status, 401);
    assert.equal((await fetch(`${server.url}/api/v1/overview`, { headers })).status, 401);
  } finally {
    delete process.env["BULWARK_METRICS_TOKEN"];
  }
});

test("the address that is told by a proxy counts only where the proxy is trusted", async () => {
  for (const [yaml, expected] of [
    ["server: { port: 0 }", "127.0.0.1"],
    ["server: { port: 0, trustProxy: [127.0.0.1] }", "198.51.100.7"],
  ] as const) {
    await using server = await startTestServer({ yaml });
    const link = new URL(await server.createLoginLink());
    const token = link.hash.slice("#token=".length);
    const answer = await post(`${server.url}/api/v1/session/link`, { token }, { "x-forwarded-for": "198.51.100.7" });
    assert.equal(answer.status, 200);
    const entries = (await server.store.audit.list({ limit: 9 })).items;
    assert.equal(entries.find(({ action }) => action === "login")?.address, expected);
  }
});

function eventOf(node: string, n: number) {
  return sampleEvent(n, { node, id: `${node}/boot/${n}`, container: null, attribution: "host" });
}

function auditOf(cluster: string, n: number): AuditEvent {
  const text = {
    stage: "s",
    verb: "get",
    user: "u",
    impersonated: "",
    userAgent: "",
    uri: "",
    decision: "",
    reason: "",
  };
  const audit = { ...text, cluster, groups: [], sourceIps: [], object: null, status: 200 };
  return { id: `${cluster}/audit/${n}/s`, time: Date.now(), node: "", kind: "audit", audit };
}
