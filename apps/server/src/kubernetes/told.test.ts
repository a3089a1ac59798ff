import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiError, type Client } from "@bulwark/contract";
import { eventually, joinAgent, sampleKubeObject, type TestAgent } from "@bulwark/testkit";
import { startTestServer, type TestServer } from "../server.fixture.ts";

/** A cluster of which a collector tells, and nobody else. */
let server: TestServer;
let person: Client;
let collector: TestAgent;
const status = { uid: "u", version: "v1.36.3", state: "ok", reason: "", remedy: "", syncedAt: 1, counters: {} };
const patience = 90_000;
const limits = { surveyFirst: 0, surveyPoll: 50, clusterCheckFirst: 0, clusterCheckPoll: 50 };

before(async () => {
  server = await startTestServer({ agents: true, limits });
  person = server.client(await server.login());
  const { token } = await person.createJoinToken({ body: { cluster: "west", hours: 1 } });
  collector = await joinAgent(server.agentsUrl ?? "", token, "cluster:west");
});
after(async () => server[Symbol.asyncDispose]());

const apiVersions: Record<string, string> = { ClusterRole: "rbac.authorization.k8s.io/v1" };
/** As a collector puts it; `manifest`: what it tells in place of the whole object, empty where it tells nothing. */
function put(kind: string, name: string, whole: object = {}, manifest?: string | null) {
  const namespace = ["Pod", "ServiceAccount"].includes(kind) ? "shop" : "";
  const apiVersion = apiVersions[kind.replace("Binding", "")] ?? "v1";
  const object = sampleKubeObject(kind, name, { cluster: "west", namespace, apiVersion, containers: [] });
  const metadata = { name, uid: object.uid, ...(namespace !== "" && { namespace }) };
  const text = manifest === undefined ? JSON.stringify({ metadata, ...whole }) : manifest;
  return { type: "put", object, ...(text !== "" && { manifest: text }) };
}
async function tell(changes: object[], change: object = {}): Promise<void> {
  const said = { session: "s", changes, status: { ...status, ...change } };
  const answer = await collector.post("/api/agent/v1/cluster", said);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}
const pod = (hostNetwork: boolean): object => ({
  spec: { hostNetwork, containers: [{ name: "c", image: "registry/i:1" }] },
  status: { phase: "Running" },
});
const policy = (name: string, expression: string): string => `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: ${name} }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: ["", example.com], apiVersions: ["*"], operations: [CREATE], resources: [pods, things] }]
  validations: [{ expression: "${expression}", message: not that one }]`;
/** A policy has changed: all that runs is looked at anew. */
async function again(name: string): Promise<void> {
  await person.putPolicyDocument({ params: { id: name }, body: { text: policy(name, "true") } });
}

async function denied(): Promise<string> {
  const { items } = await person.listPolicyViolations({ query: { policy: "no-host-network" } });
  return items.map((one) => `${one.cluster} ${one.kind}/${one.name} ${one.verdict}`).join();
}
async function problems(): Promise<string> {
  const look = (await person.listPolicies()).looks.find(({ cluster }) => cluster === "west");
  return look?.problems.join("\n") ?? "";
}
async function saidIn(text: RegExp): Promise<void> {
  await eventually(String(text), async () => text.test(await problems()) || undefined, patience);
}

test("what runs in it is held against every policy by what its collector tells, and so is what comes later", async () => {
  const rules = [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }];
  const subjects = [{ kind: "Group", name: "system:authenticated" }];
  await tell([
    put("Namespace", "shop"),
    put("Pod", "near", pod(true)),
    put("Pod", "far", pod(false)),
    put("Node", "worker", { status: { nodeInfo: { kubeletVersion: "v1.36.3" } } }),
    put("ClusterRole", "reader", { rules }),
    put("ClusterRoleBinding", "all", { roleRef: { kind: "ClusterRole", name: "reader" }, subjects }),
    put("ServiceAccount", "large", {}, null),
  ]);
  await eventually("it is judged", async () => ((await denied()) === "" ? undefined : true), patience);
  assert.equal(await denied(), "west Pod/near denied");
  assert.deepEqual((await person.listPolicies()).unjudged, []);
  assert.match(
    await problems(),
    /configmaps: the cluster's collector does not tell of them/,
    "what is not told is said",
  );
  assert.doesNotMatch(await problems(), /pods/);
  await tell([put("Pod", "far", pod(true)), { type: "delete", uid: put("Pod", "near").object.uid }]);
  await again("one");
  const next = "west Pod/far denied";
  await eventually("it is judged anew", async () => (await denied()) === next || undefined, patience);
});

test("whole objects are read by who may write, on record, and one that was not told as a whole is not made up", async () => {
  const read = async (kind: "ClusterRole" | "ServiceAccount", by = person) =>
    (await by.listWholeObjects({ params: { id: "west" }, query: { kind } })).items;
  const [role] = await read("ClusterRole");
  assert.deepEqual(role?.object?.["rules"], [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }]);
  assert.deepEqual(await read("ServiceAccount"), [{ namespace: "shop", name: "large", object: null }]);
  const { secret } = await person.createToken({ body: { name: "reader", scope: "read", days: 1 } });
  const refusedWith = (status: number) => (error: unknown) => error instanceof ApiError && error.status === status;
  await assert.rejects(read("ClusterRole", server.client({ authorization: `Bearer ${secret}` })), refusedWith(403));
  const east = person.listWholeObjects({ params: { id: "east" }, query: { kind: "Pod" } });
  await assert.rejects(east, refusedWith(404));
  const { items } = await person.listAudit({ query: { limit: 20 } });
  assert.deepEqual(items.filter(({ action }) => action === "cluster.read").length, 2);
});

test("a policy says what it would deny there before it is saved", async () => {
  const text = policy("mine", "object.metadata.name != 'far'");
  const { policies, looks } = await person.previewPolicies({ body: { text } });
  assert.deepEqual(
    policies.flatMap(({ violations }) => violations.map(({ cluster, name }) => `${cluster} ${name}`)),
    ["west far"],
  );
  assert.match(looks[0]?.problems.join() ?? "", /things\.example\.com: .* does not tell/);
});

test("what is not told as a whole is never taken for none, and neither is what is not what it says", async () => {
  const other = JSON.stringify({ metadata: { name: "far", namespace: "shop", uid: "another" }, ...pod(true) });
  await tell([
    put("Pod", "large", {}, null),
    put("Pod", "old", {}, ""),
    put("Pod", "broken", {}, "{"),
    put("Pod", "forged", {}, other),
  ]);
  await again("two");
  await saidIn(/4 of 5 pods were not told/);
  assert.equal(await denied(), "west Pod/far denied", "the others are judged");
});

test("it is held against benchmarks, and what nobody could look at is unknown", async () => {
  const results = await eventually(
    "it is held against them",
    async () =>
      person.getBenchmarkResults({ query: { kind: "cluster", name: "west" } }).then(
        (report) => report.results,
        () => undefined,
      ),
    patience,
  );
  assert.equal(results.find(({ check }) => check === "cluster-grants-secrets")?.state, "fail");
  const unknown = results.flatMap(({ state, reason }) => (state === "unknown" ? [reason] : [])).join("\n");
  assert.match(unknown, /worker.* a collector reads objects only/);
  assert.match(unknown, /1 of 1 serviceaccounts were not told/, "none is sound unseen");
});

test("of a collector that is silent what was known stays, and that it is silent is said", async () => {
  await tell([], { state: "degraded", reason: "list jobs: forbidden" });
  await again("three");
  await saidIn(/its collector: list jobs: forbidden/);
  const { data } = server;
  await server.close();
  server = await startTestServer({ data, limits: { ...limits, silence: 1, surveyEvery: 1 } });
  person = server.client(await server.login());
  const part = await eventually(
    "it is silent",
    async () =>
      (await person.getHealth()).components.find(({ id, state }) => id === "policies:west" && state === "failed"),
    patience,
  );
  assert.match(part.reason, /nothing has been heard/);
  assert.equal(await denied(), "west Pod/far denied");
});
