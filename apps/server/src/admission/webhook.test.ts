import assert from "node:assert/strict";
import { Agent, request as httpsRequest } from "node:https";
import { after, before, test } from "node:test";
import { requestFor, type Json } from "@bulwark/admission";
import type { Client } from "@bulwark/contract";
import { startTestServer, type TestServer } from "../server.fixture.ts";

const yaml = `
server:
  port: 0
  admission:
    port: 0
    deadline: 3000
    policies:
      - { policy: no-host-network, mode: enforce }
`;

let server: TestServer;
let person: Client;
let agent: Agent;

before(async () => {
  server = await startTestServer({ yaml });
  person = server.client(await server.login());
  agent = new Agent({ keepAlive: true, ca: await authorities() });
});
after(async () => {
  agent.destroy();
  await server[Symbol.asyncDispose]();
});

async function authorities(): Promise<string> {
  const pairs = JSON.parse((await server.store.settings.get("admission.authorities")) ?? "[]") as {
    certificate: string;
  }[];
  return pairs.map(({ certificate }) => certificate).join("\n");
}

interface Answer {
  allowed: boolean;
  status?: { message: string };
  warnings?: string[];
}

async function ask(object: Json, path = "/validate/east/ignore/0"): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const body = JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { ...requestFor(object), uid: "u", userInfo: { username: "ann", groups: [] } },
  });
  const request = httpsRequest(`${server.webhookUrl ?? ""}${path}`, { method: "POST", agent }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.on("end", () => resolve((JSON.parse(text) as { response: Answer }).response));
  });
  request.on("error", reject).end(body);
  return promise;
}

function pod(name: string, spec: Json): Json {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "shop" }, spec: { containers: [], ...spec } };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const own = (name: string, expression: string): string => `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: ${name}, annotations: { bulwark.dev/title: No pods of that name } }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
  validations:
    - { expression: "${expression}", message: not that one }
`;

test("a configured policy refuses, changes of the console hold at once, and each decision can be found", async () => {
  const bad = pod("web", { hostNetwork: true });
  const { allowed, status } = await ask(bad);
  assert.equal(allowed, false);
  assert.match(status?.message ?? "", /^no-host-network: /);
  const { items } = await person.listPolicies();
  assert.equal(items.find(({ name }) => name === "no-host-network")?.setting?.mode, "enforce");
  assert.equal(items.find(({ name }) => name === "no-latest-tag")?.setting, null);

  const settings = { from: null, failurePolicy: "Ignore", excludedNamespaces: [] as string[], fix: false } as const;
  await person.setPolicy({ params: { id: "no-host-network" }, body: { ...settings, mode: "warn" } });
  assert.equal((await ask(bad)).warnings?.length, 1);
  await person.setPolicy({ params: { id: "no-host-network" }, body: null });
  assert.deepEqual(await ask(bad), { uid: "u", allowed: true });
  await assert.rejects(person.setPolicy({ params: { id: "no-such" }, body: null }), /no such policy/);

  const list = async (query: Parameters<Client["listAdmissionDecisions"]>[0]["query"]) =>
    (await person.listAdmissionDecisions({ query })).items;
  await until("decisions are written", async () => (await list({})).length === 2);
  const [warned, denied] = await list({ policy: "no-host-network" });
  assert.deepEqual([warned?.outcome, denied?.outcome], ["warned", "denied"]);
  assert.deepEqual([denied?.user, denied?.namespace, denied?.name, denied?.cluster], ["ann", "shop", "web", "east"]);
  assert.match(denied?.reason ?? "", /host/);
  assert.ok((denied?.duration ?? 0) > 0);
  assert.equal((await list({ outcome: "denied", q: "WEB" })).length, 1);
  const row = (await person.listPolicies()).items.find(({ name }) => name === "no-host-network");
  assert.deepEqual(row?.decisions, { denied: 1, warned: 1 });
});

test("a policy with an error is refused with its place, and the one before stays in force", async () => {
  const document = { params: { id: "mine" } };
  await assert.rejects(
    person.putPolicyDocument({ ...document, body: { text: own("mine", "object.metadata.name != ") } }),
    /mine:2: ValidatingAdmissionPolicy mine: spec\.validations\[0\]\.expression: /,
  );
  const good = own("mine", "object.metadata.name != 'evil'");
  assert.deepEqual(await person.putPolicyDocument({ ...document, body: { text: good } }), { policies: ["mine"] });
  await person.setPolicy({
    params: { id: "mine" },
    body: { mode: "enforce", from: null, failurePolicy: "Ignore", excludedNamespaces: [], fix: false },
  });
  assert.equal((await ask(pod("evil", {}))).status?.message, "mine: not that one");
  await assert.rejects(
    person.putPolicyDocument({ ...document, body: { text: own("mine", "object.name(") } }),
    /mine:2/,
  );
  assert.equal((await ask(pod("evil", {}))).allowed, false);
  await assert.rejects(
    person.putPolicyDocument({ params: { id: "other" }, body: { text: good } }),
    /there is a policy mine already/,
  );
  const { text, title } = await person.getPolicy({ params: { id: "mine" } });
  assert.deepEqual([text, title], [good, "No pods of that name"]);
  await person.deletePolicyDocument(document);
  assert.equal((await ask(pod("evil", {}))).allowed, true);
  await assert.rejects(person.deletePolicyDocument(document), /no such document/);
});

test("without its database it goes on judging, and what it could not write down comes when the database is back", async () => {
  const { admission, settings } = server.store;
  const settingsOff = { from: null, failurePolicy: "Ignore", excludedNamespaces: [] as string[], fix: false } as const;
  await person.setPolicy({ params: { id: "no-host-network" }, body: { ...settingsOff, mode: "enforce" } });
  const { append } = admission;
  const { get } = settings;
  const away = async (): Promise<never> => Promise.reject(new Error("the database is away"));
  Object.assign(admission, { append: away });
  Object.assign(settings, { get: away });
  for (let n = 0; n < 5; n++) assert.equal((await ask(pod(`lost-${n}`, { hostNetwork: true }))).allowed, false);
  assert.equal((await ask(pod("good", {}))).allowed, true);
  Object.assign(admission, { append });
  Object.assign(settings, { get });
  await until("all decisions are there", async () => {
    const { items } = await person.listAdmissionDecisions({ query: {} });
    return items.filter(({ name }) => name.startsWith("lost-")).length === 5;
  });
});

test("a new authority is added beside the one before, and the old one is still trusted", async () => {
  const former = await authorities();
  await person.rotateWebhookAuthority();
  const both = await authorities();
  assert.ok(both.length > former.length && both.startsWith(former.trim()));
  assert.equal((await ask(pod("web", { hostNetwork: true }))).allowed, false);
});
