import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Client } from "@bulwark/contract";
import { fakeKubernetes, type FakeKubernetes, type FakeObject } from "@bulwark/testkit";
import { startTestServer, type TestServer } from "../server.fixture.ts";

let folder: string;
let fake: FakeKubernetes;
let server: TestServer;
let person: Client;

const workloads = "/apis/apps/v1/deployments";
const replicaSets = "/apis/apps/v1/replicasets";
const pods = "/api/v1/pods";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulwark-survey-"));
  fake = await fakeKubernetes();
  for (const name of ["shop", "kube-system", "lab"]) {
    fake.put("/api/v1/namespaces", object("v1", "Namespace", name, undefined));
  }
  const kubeconfig = join(folder, "kubeconfig");
  const context = { name: "c", context: { cluster: "c", user: "u" } };
  const file = {
    ...{ "current-context": "c", contexts: [context], users: [{ name: "u", user: { token: "t" } }] },
    clusters: [{ name: "c", cluster: { server: fake.url } }],
  };
  await writeFile(kubeconfig, JSON.stringify(file));
  deploy("web", "shop", 3, { hostNetwork: true });
  deploy("good", "shop", 2, {});
  deploy("net", "kube-system", 1, { hostNetwork: true });
  fake.authorize(({ resource }) => resource !== "ingresses");
  const config = { port: 0, kubernetes: { clusters: [{ name: "east", kubeconfig }] } };
  server = await startTestServer({
    yaml: JSON.stringify({ server: config }),
    limits: { surveyFirst: 0, surveyPoll: 50, surveyEvery: 600_000 },
  });
  person = server.client(await server.login());
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function object(apiVersion: string, kind: string, name: string, namespace: string | undefined): FakeObject {
  const metadata = { name, uid: `${namespace}/${kind}/${name}`, ...(namespace !== undefined && { namespace }) };
  return { apiVersion, kind, metadata };
}

/** A Deployment as it is found in a cluster: with its replica set, one of a version before, and its pods. */
function deploy(name: string, namespace: string, replicas: number, spec: object): void {
  const template = { metadata: { labels: { app: name } }, spec: { ...spec, containers: [{ name, image: "a/b:1" }] } };
  const owned = (by: FakeObject, made: FakeObject): FakeObject => {
    const { apiVersion, kind, metadata } = by;
    const reference = { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true };
    return { ...made, metadata: { ...made.metadata, ownerReferences: [reference] } };
  };
  const deployment = { ...object("apps/v1", "Deployment", name, namespace), spec: { replicas, template } };
  const set = owned(deployment, object("apps/v1", "ReplicaSet", `${name}-2`, namespace));
  const former = owned(deployment, object("apps/v1", "ReplicaSet", `${name}-1`, namespace));
  fake.put(workloads, deployment);
  fake.put(replicaSets, { ...set, spec: { replicas, template } }, { ...former, spec: { replicas: 0, template } });
  const made = Array.from({ length: replicas }, (_, n) => ({
    ...owned(set, object("v1", "Pod", `${name}-2-${n}`, namespace)),
    spec: { ...template.spec, nodeName: "node-1" },
    status: { phase: "Running" },
  }));
  const ended = { ...owned(set, object("v1", "Pod", `${name}-2-old`, namespace)), spec: template.spec };
  fake.put(pods, ...made, { ...ended, status: { phase: "Failed" } });
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + 60_000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > end) assert.fail(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const found = async (policy: string): Promise<string[]> =>
  (await person.listPolicyViolations({ query: { policy } })).items.map(
    ({ cluster, namespace, kind, name, verdict, objects }) =>
      `${cluster} ${namespace} ${kind}/${name} ${verdict} ${objects}`,
  );
const own = (name: string, expression: string): string => `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: ${name} }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
  validations:
    - { expression: "${expression}", message: not that one }
`;

test("what runs is held against every policy, in force or not, and shown under what controls it", async () => {
  const look = await until("a look", async () => (await person.listPolicies()).looks[0]);
  // Namespaces, deployments, a replica set of each, and their pods that run.
  assert.equal(look.objects, 3 + 3 + 3 + 6);
  assert.deepEqual(await found("no-host-network"), ["east shop Deployment/web denied 5"]);
  const { items } = await person.listPolicies();
  const row = items.find(({ name }) => name === "no-host-network");
  assert.equal(row?.setting, null);
  assert.deepEqual([row?.running?.denied, row?.running?.unknown, row?.running?.dropped], [1, 0, 0]);
  assert.match(look.problems.join("; "), /ingresses.*forbidden/, "what could not be read is said");
  const [violation] = (await person.listPolicyViolations({ query: { q: "WEB", policy: "no-host-network" } })).items;
  assert.match(violation?.message ?? "", /host/);
  const component = (await person.getHealth()).components.find(({ id }) => id === "policies:east");
  assert.equal(component?.state, "degraded");
  assert.match(component?.reason ?? "", /ingresses/);
});

test("a new policy is asked at once; what one finds in a namespace that it leaves out from now on goes", async () => {
  const setting = { mode: "observe", from: null, failurePolicy: "Ignore", fix: false } as const;
  await person.putPolicyDocument({
    params: { id: "mine" },
    body: { text: own("mine", "!object.metadata.name.startsWith('good')") },
  });
  await person.setPolicy({
    params: { id: "no-host-network" },
    body: { ...setting, excludedNamespaces: ["shop"] },
  });
  await until("both are so", async () => {
    const [mine, network] = [await found("mine"), await found("no-host-network")];
    return mine.length > 0 && network.length === 0 ? true : undefined;
  });
  assert.deepEqual(await found("mine"), ["east shop Deployment/good denied 2"]);
});

test("a text says what it would deny before it is saved; a wrong one says where", async () => {
  const text = `${own("a", "!has(object.spec.hostNetwork)")}---${own("b", "authorizer.group('').resource('pods').check('get').allowed()")}`;
  const { policies, looks } = await person.previewPolicies({ body: { text } });
  assert.deepEqual(
    policies.map(({ policy, judged, denied, unknown }) => [policy, judged, denied, unknown]),
    [
      ["a", 5, 1, 0],
      // Who makes the objects is not known.
      ["b", 5, 0, 2],
    ],
  );
  assert.deepEqual(policies[0]?.violations[0]?.name, "web");
  assert.equal(looks[0]?.cluster, "east");
  assert.deepEqual(await found("a"), [], "nothing is kept");
  await assert.rejects(person.previewPolicies({ body: { text: own("a", "object.(") } }), /text:2: .*expression/);
});

test("an image that cannot be looked at is unknown, neither fine nor denied", async () => {
  const text = `
apiVersion: bulwark.dev/v1
kind: ImagePolicy
metadata: { name: young }
spec: { images: ["127.0.0.1:1/**"], validations: [{ expression: "image.age < 10" }] }`;
  deploy("far", "lab", 2, { initContainers: [{ name: "x", image: "127.0.0.1:1/x:1" }] });
  const { policies } = await person.previewPolicies({ body: { text } });
  const [young] = policies;
  assert.deepEqual([young?.denied, young?.unknown, young?.violations[0]?.objects], [0, 1, 4]);
  assert.match(young?.violations[0]?.message ?? "", /127\.0\.0\.1:1/);
});

test("a cluster that is away is said, and what was known of it stays", async () => {
  fake.away();
  try {
    await person.putPolicyDocument({ params: { id: "other" }, body: { text: own("other", "true") } });
    const component = await until("it is said", async () =>
      (await person.getHealth()).components.find(({ id, state }) => id === "policies:east" && state === "failed"),
    );
    assert.notEqual(component.reason, "");
    assert.deepEqual(await found("mine"), ["east shop Deployment/good denied 2"]);
  } finally {
    fake.back();
  }
});
