import assert from "node:assert/strict";
import { generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { caseProblems, casesOf, fixed, loadLibrary, type AdmissionOptions, type Json } from "@bulwark/admission";
import type { Client } from "@bulwark/contract";
import { connect, KubeError, resources, type Kube, type Resource } from "@bulwark/kube";
import { policySetting, type PolicyMode, type PolicySetting } from "@bulwark/model";
import { attestation, cosignSignature, digestOf, eventually, freePort, missing, type Attached } from "@bulwark/testkit";
import { startCluster, type Cluster } from "./cluster/cluster.ts";
import { hostAddress } from "./cluster/network.ts";
import { startProduct, type Product } from "./product.ts";

const shop = "shop";
/**
 * What Kubernetes itself mounts, under a name of chance. It does so before any policy changes the pod: a pod that a policy
 * forbids the token has the volume all the same, natively too.
 */
const tokenVolume =
  /"volumes":\[\{"name":"kube-api-access-\w+",.*?"defaultMode":420\}\}\],?|"volumeMounts":\[\{"name":"kube-api-access-\w+",[^\]]*\],?/g;

const kinds: Record<string, Resource> = {
  Pod: resources.pods,
  ReplicationController: resources.replicationControllers,
  Deployment: resources.deployments,
  ReplicaSet: resources.replicaSets,
  StatefulSet: resources.statefulSets,
  DaemonSet: resources.daemonSets,
  Job: resources.jobs,
  CronJob: resources.cronJobs,
};

/** An object that runs pods with this spec. */
function workload(kind: string, name: string, spec: Json, metadata: Json = {}): Json {
  const containers = [{ name: "web", image: "registry.test/web:1" }];
  const pod = { containers, ...spec };
  const labels = { app: name };
  const always = { metadata: { labels }, spec: pod };
  const once_ = { metadata: { labels }, spec: { ...pod, restartPolicy: "Never" } };
  const own: Record<string, Json> = {
    Pod: pod,
    ReplicationController: { replicas: 0, selector: labels, template: always },
    Job: { suspend: true, template: once_ },
    CronJob: { schedule: "0 0 1 1 *", suspend: true, jobTemplate: { spec: { template: once_ } } },
    DaemonSet: { selector: { matchLabels: labels }, template: always },
    StatefulSet: { replicas: 0, serviceName: name, selector: { matchLabels: labels }, template: always },
  };
  const { apiVersion = "" } = kinds[kind] ?? {};
  const replicated = { replicas: 0, selector: { matchLabels: labels }, template: always };
  return { apiVersion, kind, metadata: { name, namespace: shop, ...metadata }, spec: own[kind] ?? replicated };
}

function podSpecOf(object: Json): Json {
  const spec = object["spec"] as { template?: { spec: Json }; jobTemplate?: { spec: { template: { spec: Json } } } };
  return spec.jobTemplate?.spec.template.spec ?? spec.template?.spec ?? spec;
}

/** A machine that is busy with other tests is slow, and no less right. */
async function until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  return eventually(what, ask, 60_000);
}

interface Outcome {
  object?: Json;
  refusal?: string;
  warnings: string;
}

/** A real API server asks a real `bulwark serve`; both have bad days, and the cluster goes on. */
describe("the admission webhook and a real API server", { skip: missing("cluster") }, () => {
  let cluster: Cluster;
  let kube: Kube;
  let server: Product;
  let api: Client;
  let start: (env?: NodeJS.ProcessEnv) => Promise<Product>;
  let data = "";
  const begun = Date.now();

  async function create(object: Json, { dryRun = false } = {}): Promise<Outcome> {
    const { kind, apiVersion, metadata } = object as {
      kind: string;
      apiVersion: string;
      metadata: { namespace?: string };
    };
    const resource = kinds[kind] ?? others.find((one) => one.kind === kind);
    assert.ok(resource, kind);
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const where = resource.namespaced ? `/namespaces/${metadata.namespace ?? "default"}` : "";
    const path = `${root}${where}/${resource.plural}`;
    try {
      const query = dryRun ? { dryRun: "All" } : {};
      const answer = await kube.transport.send({ method: "POST", path, query, body: object, what: path });
      let text = "";
      for await (const part of answer) text += String(part);
      return { object: JSON.parse(text) as Json, warnings: answer.headers["warning"] ?? "" };
    } catch (error) {
      assert.ok(error instanceof KubeError, String(error));
      return { refusal: error.message, warnings: "" };
    }
  }
  let others: readonly Resource[] = [];

  async function set(policy: string, mode: PolicyMode, change: Partial<PolicySetting> = {}): Promise<void> {
    const { policy: _, ...body } = policySetting.parse({ policy, mode, ...change });
    await api.setPolicy({ params: { id: policy }, body });
  }
  const secret = (name: string, metadata: Json = {}): Json => ({
    ...{ apiVersion: "v1", kind: "Secret", metadata: { name, namespace: shop, ...metadata } },
  });
  const bad = (name: string): Json => workload("Pod", name, { hostNetwork: true });
  const mentions = async (policy: string, object: Json): Promise<true | undefined> => {
    const { refusal = "", warnings } = await create(object, { dryRun: true });
    return `${refusal} ${warnings}`.includes(policy) || undefined;
  };

  before(async () => {
    // Pods need not run for this: what is asked is whether they are let in.
    cluster = await startCluster({ nodes: 0 });
    kube = connect({ kubeconfig: cluster.kubeconfig });
    cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: shop } });
    others = (await kube.discover()).resources;
    const address = hostAddress(cluster.network);
    const port = await freePort(address);
    const config = JSON.stringify({
      server: {
        kubernetes: { clusters: [{ name: "east", kubeconfig: cluster.kubeconfig }] },
        admission: {
          ...{ address, port, url: `https://${address}:${port}`, deadline: 8000 },
          registries: { plainHttp: [cluster.registry.address] },
        },
      },
    });
    data = mkdtempSync(join(tmpdir(), "bulwark-admission-"));
    start = async (env = {}) => startProduct({ command: "serve", config, data, env });
    server = await start();
    api = await server.api();
  });
  after(async () => {
    kube?.close();
    await server?.[Symbol.asyncDispose]();
    await cluster?.delete();
    rmSync(data, { recursive: true, force: true });
  });

  test("a MutatingAdmissionPolicy does the same to every case of the library in the API server and in ours", async (t) => {
    const mutating = others.find(({ kind }) => kind === "MutatingAdmissionPolicy");
    if (!mutating) return t.skip("this API server has no MutatingAdmissionPolicy");
    const label = "example.com/fix";
    const library = loadLibrary(join(import.meta.dirname, "../content/policies")).filter(({ fix }) => fix);
    for (const { fix, name } of library) {
      const { apiVersion } = mutating;
      const spec = { ...fix?.policy.spec, matchConstraints: { ...fix?.policy.spec.matchConstraints } };
      cluster.apply(
        { apiVersion, kind: "MutatingAdmissionPolicy", metadata: { name }, spec },
        {
          ...{ apiVersion, kind: "MutatingAdmissionPolicyBinding", metadata: { name } },
          spec: { policyName: name, matchResources: { objectSelector: { matchLabels: { [label]: name } } } },
        },
      );
    }
    const options: AdmissionOptions = { namespaceOf: (name) => ({ metadata: { name } }), paramsOf: () => [] };
    const labelled = (object: Json, value: string): Json => {
      const metadata = object["metadata"] as { labels?: Json };
      return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, [label]: value } } };
    };
    const bare = (object: Json | undefined): Json => {
      const {
        managedFields: _,
        creationTimestamp: __,
        uid: ___,
        labels,
        ...rest
      } = (object?.["metadata"] ?? {}) as Json;
      const { [label]: ____, ...kept } = (labels ?? {}) as Json;
      const spec = JSON.stringify(object?.["spec"]).replaceAll(tokenVolume, "");
      return { ...object, metadata: { ...rest, labels: kept }, spec };
    };
    let compared = 0;
    const different: string[] = [];
    for (const policy of library) {
      assert.deepEqual(await caseProblems(policy), []);
      const cases = casesOf(policy).filter(({ operation, subResource }) => operation === "CREATE" && !subResource);
      const changing = cases.find(({ expect, fixed: mends }) => expect === "deny" && mends);
      assert.ok(changing, policy.name);
      await until(`${policy.name} is in force`, async () => {
        const native = await create(labelled(changing.object, policy.name), { dryRun: true });
        const plain = await create(labelled(changing.object, "none"), { dryRun: true });
        return JSON.stringify(bare(native.object)) !== JSON.stringify(bare(plain.object)) || undefined;
      });
      for (const { name, object } of cases) {
        const native = await create(labelled(object, policy.name), { dryRun: true });
        const ours = await create(labelled(fixed(policy, object, options), "none"), { dryRun: true });
        if (native.refusal !== undefined || ours.refusal !== undefined) {
          if ((native.refusal ?? "").endsWith("already exists")) continue;
          different.push(`${policy.name}: ${name}: ${native.refusal ?? ""} / ${ours.refusal ?? ""}`);
        } else {
          compared++;
          const [theirs, mine] = [bare(native.object), bare(ours.object)].map((one) => JSON.stringify(one));
          if (theirs !== mine) different.push(`${policy.name}: ${name}: ${theirs} / ${mine}`);
        }
      }
    }
    assert.deepEqual(different.slice(0, 3), []);
    assert.ok(compared >= 20, String(compared));
  });

  test("workloads of every kind are admitted, warned of, changed and refused, and the console knows why", async () => {
    await set("no-host-network", "enforce");
    await set("no-host-pid", "warn");
    await set("no-host-ipc", "observe");
    await set("no-privilege-escalation", "enforce", { fix: true });
    await until("the policies are in force", async () =>
      mentions("no-host-pid", workload("CronJob", "probe", { hostPID: true })),
    );
    // From here on, while all that follows happens, the authority changes.
    await api.rotateWebhookAuthority();
    for (const kind of Object.keys(kinds)) {
      const name = kind.toLowerCase();
      const refused = await create(workload(kind, `${name}-net`, { hostNetwork: true }));
      assert.match(refused.refusal ?? "admitted", /denied the request: no-host-network: /, kind);
      const warned = await create(workload(kind, `${name}-pid`, { hostPID: true }));
      assert.match(warned.warnings, /no-host-pid: .*\(mode warn\)/, `${kind} ${warned.refusal ?? ""}`);
      const observed = await create(workload(kind, `${name}-ipc`, { hostIPC: true }));
      assert.deepEqual([observed.refusal, observed.warnings], [undefined, ""], kind);
      const [container] = podSpecOf(observed.object ?? {})["containers"] as { securityContext?: Json }[];
      assert.equal(container?.securityContext?.["allowPrivilegeEscalation"], false, `${kind} was not changed`);
    }
    const system = workload("Pod", "in-the-system", { hostNetwork: true }, { namespace: "kube-system" });
    assert.equal((await create(system)).refusal, undefined, "kube-system is never asked about");
    const decided = async (outcome: "denied" | "warned" | "observed" | "changed"): Promise<string[]> => {
      const { items } = await api.listAdmissionDecisions({ query: { outcome, since: begun, limit: 500 } });
      return [...new Set(items.map(({ kind }) => kind))].toSorted();
    };
    for (const outcome of ["denied", "warned", "observed", "changed"] as const) {
      await until(outcome, async () => (await decided(outcome)).length === 8 || undefined);
    }
    const { items } = await api.listAdmissionDecisions({ query: { policy: "no-host-network", namespace: shop } });
    assert.ok(items.every(({ cluster: where, reason }) => where === "east" && reason.includes("host")));
    // What was let in and runs now is found by the look at all that runs, in the cluster itself.
    const { text } = await api.getPolicy({ params: { id: "no-host-ipc" } });
    const { policies, looks } = await api.previewPolicies({ body: { text } });
    assert.deepEqual(looks[0]?.problems, []);
    const found = (policies[0]?.violations ?? []).filter(
      ({ name, verdict }) => name.endsWith("-ipc") && verdict === "denied",
    );
    assert.deepEqual(found.map(({ kind }) => kind).toSorted(), Object.keys(kinds).toSorted());
  });

  test("an object that comes in another version is judged in the one that the policy names", async () => {
    const scaling = (version: string): Json => ({
      ...{ apiVersion: `autoscaling/${version}`, kind: "HorizontalPodAutoscaler" },
      metadata: { name: "web", namespace: shop },
      spec: {
        ...{ scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, maxReplicas: 9 },
        ...(version === "v1" && { targetCPUUtilizationPercentage: 95 }),
      },
    });
    const text = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: scale-early }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [autoscaling], apiVersions: [v2], operations: [CREATE], resources: [horizontalpodautoscalers] }
  validations:
    - expression: object.spec.metrics.all(m, m.resource.target.averageUtilization < 90)
      messageExpression: "'asked for as ' + request.requestKind.version + ', seen as ' + request.kind.version"
`;
    await api.putPolicyDocument({ params: { id: "scale" }, body: { text } });
    await set("scale-early", "enforce");
    const seen = await until(
      "the policy is in force",
      async () => (await create(scaling("v1"), { dryRun: true })).refusal,
    );
    assert.match(seen, /scale-early: asked for as v1, seen as v2/);
  });

  test("policies that lie in the cluster are in force as they say, and one that breaks leaves the good one", async () => {
    const policy = (message: string, expression = "!has(object.data.evil)"): string => `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: no-evil, annotations: { bulwark.dev/mode: enforce } }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps] }]
  validations: [{ expression: "${expression}", message: "${message}" }]
`;
    const map = (text: string): Json => ({
      ...{ apiVersion: "v1", kind: "ConfigMap", data: { "no-evil.yaml": text } },
      metadata: { name: "policies", namespace: "bulwark", labels: { "bulwark.dev/policies": "true" } },
    });
    const evil = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "e", namespace: shop }, data: { evil: "1" } };
    cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "bulwark" } }, map(policy("no evil here")));
    await until("it refuses", async () => mentions("no-evil: no evil here", evil));
    cluster.apply(map(policy("broken", "object.data.(")));
    await until("the error is told", async () => {
      const { problems } = await api.listPolicies();
      return problems.some((line) => line.includes("ConfigMap bulwark/policies, no-evil.yaml:2")) || undefined;
    });
    assert.equal(await mentions("no-evil: no evil here", evil), true);
  });

  test("who has the permission breaks the glass with a reason and an end; who has not is told", async () => {
    const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["create"] }];
    const bypass = { apiGroups: ["bulwark.dev"], resources: ["policies"], verbs: ["bypass"] };
    const role = (name: string, more: object[] = []): object[] => [
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata: { name, namespace: shop },
        rules: [...rules, ...more],
      },
      {
        ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata: { name, namespace: shop } },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name }],
      },
    ];
    cluster.apply(...role("bob"), ...role("ann", [bypass]));
    const end = new Date(Date.now() + 3_600_000).toISOString();
    const annotations = { "bulwark.dev/break-glass": "INC-4711: shop is down", "bulwark.dev/break-glass-until": end };
    const asUser = (user: string, name: string): string => {
      const object = workload("Pod", name, { hostNetwork: true }, { annotations });
      try {
        return cluster.kubectl(
          "create",
          "--as",
          user,
          "--raw",
          `/api/v1/namespaces/${shop}/pods`,
          "-f",
          file(cluster, object),
        );
      } catch (error) {
        return String(error);
      }
    };
    await until("ann breaks the glass", () => asUser("ann", "broken").includes('"kind":"Pod"') || undefined);
    assert.match(asUser("bob", "whole"), /bob may not bypass policies\.bulwark\.dev\/no-host-network in shop/);
    const query = { outcome: "bypassed", policy: "no-host-network" } as const;
    const [found] = await until("it is written down", async () => {
      const { items } = await api.listAdmissionDecisions({ query });
      return items.length > 0 ? items : undefined;
    });
    assert.deepEqual([found?.user, found?.name], ["ann", "broken"]);
    assert.match(found?.reason ?? "", /INC-4711/);
  });

  test("signed images are let in under the digest that was judged, unsigned ones are not, and a dead registry holds nothing up", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const signed = await pushImage(cluster, "signed");
    await pushImage(cluster, "unsigned");
    await push(cluster, "signed", cosignSignature(signed.digest, privateKey));
    const statement = {
      predicateType: "https://slsa.dev/provenance/v1",
      predicate: { buildDefinition: { buildType: "ci" } },
    };
    await push(
      cluster,
      "signed",
      await attestation(signed, statement, { sign: (data) => sign("sha256", data, privateKey) }),
    );
    const policy = {
      ...{ apiVersion: "bulwark.dev/v1", kind: "ImagePolicy", metadata: { name: "release" } },
      spec: {
        images: [`${cluster.registry.address}/**`],
        authorities: [{ name: "release", key: publicKey.export({ type: "spki", format: "pem" }) }],
        validations: [
          { expression: "image.signatures.exists(s, s.authority == 'release')", message: "is not signed by release" },
          {
            expression:
              "image.attestations.exists(a, a.predicateType.startsWith('https://slsa.dev/') && a.predicate.buildDefinition.buildType == 'ci')",
            message: "was not built by ci",
          },
        ],
        mutateDigest: true,
      },
    };
    await api.putPolicyDocument({ params: { id: "release" }, body: { text: JSON.stringify(policy) } });
    await set("release", "enforce");
    const image = (name: string): string => `${cluster.registry.address}/shop/${name}:1`;
    const running = (kind: string, name: string, of: string): Json =>
      workload(kind, name, { containers: [{ name: "web", image: of }] });
    const imageOf = (outcome: Outcome): unknown =>
      (podSpecOf(outcome.object ?? {})["containers"] as { image: string }[])[0]?.image;
    await until("the policy is in force", async () => mentions("release", running("Pod", "probe", image("unsigned"))));

    const pod = await create(running("Pod", "signed", image("signed")));
    assert.equal(imageOf(pod), `${image("signed")}@${signed.digest}`, pod.refusal);
    const deployment = await create(running("Deployment", "signed-too", image("signed")));
    assert.equal(imageOf(deployment), image("signed"), "a template stays as it was written");
    for (const kind of ["Pod", "CronJob"]) {
      const { refusal = "admitted" } = await create(running(kind, "unsigned", image("unsigned")));
      assert.match(
        refusal,
        /release: [\d.:]+\/shop\/unsigned:1(?:@sha256:\w+)?: is not signed by release \(looked for the key release/,
      );
      assert.match(refusal, /found nothing/);
    }
    const absent = await create(running("Pod", "absent", image("no-such")));
    assert.equal(absent.refusal, undefined, "what could not be looked at is let through, and counted");
    await cluster.stop("registry");
    assert.equal((await create(running("Pod", "away", image("other")))).refusal, undefined);
    const missed = await until("what was missed is told", async () => {
      const { items } = await api.listAdmissionDecisions({ query: { outcome: "missed", policy: "release" } });
      return items.some(({ name }) => name === "away") ? items : undefined;
    });
    assert.ok(missed.every(({ reason }) => reason.length > 10));
    await api.setPolicy({ params: { id: "release" }, body: null });
  });

  test("a rush of requests is answered, each with its own verdict or let through, and none is refused for nothing", async () => {
    const safe = { name: "web", image: "registry.example/web:1", securityContext: { allowPrivilegeEscalation: false } };
    const all = await Promise.all(
      Array.from({ length: 100 }, async (_, n) =>
        create(workload("Pod", `rush-${n}`, { hostNetwork: n % 2 === 0, containers: [safe] }), { dryRun: true }),
      ),
    );
    const refusals = all.map(({ refusal }) => refusal);
    const wrong = refusals.filter(
      (refusal, n) => !/no-host-network/.test(refusal ?? "no-host-network") || (refusal !== undefined && n % 2 === 1),
    );
    assert.deepEqual([...new Set(wrong)], []);
    assert.ok(refusals.some((refusal) => refusal !== undefined));
  });

  test("a webhook that hangs, and one that was killed, do not stop the cluster; what must not pass does not", async () => {
    const strict = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: strict }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [secrets] }]
  validations: [{ expression: "!has(object.metadata.labels)", message: no labels }]
`;
    await api.putPolicyDocument({ params: { id: "strict" }, body: { text: strict } });
    await set("strict", "enforce", { failurePolicy: "Fail" });
    await until("strict is in force", async () => mentions("strict", secret("s", { labels: { a: "b" } })));

    // Only one call hangs then, for the whole of the API server's patience.
    await set("no-privilege-escalation", "enforce");
    await until("nothing is changed any more", async () =>
      kube.get(resources.mutatingWebhooks, "bulwark").then(
        () => undefined,
        () => true,
      ),
    );
    server.process.kill("SIGSTOP");
    assert.equal((await create(bad("while-it-hangs"))).refusal, undefined);
    server.process.kill("SIGCONT");
    await until("it judges again", async () => mentions("no-host-network", bad("again")));

    const gone = once(server.process, "exit");
    server.process.kill("SIGKILL");
    await gone;
    assert.equal((await create(bad("while-it-is-dead"))).refusal, undefined);
    assert.match(
      (await create(secret("s"))).refusal ?? "admitted",
      /failed calling webhook "fail\.validate\.bulwark\.dev"/,
    );
    assert.equal((await create(secret("s", { namespace: "kube-system" }))).refusal, undefined);
  });

  test("a certificate that has expired, and its authority, stop no more than a dead server does, and are replaced", async () => {
    const dead = server;
    // All that it makes has expired since: the certificate that it serves, and an authority that signs others.
    const clock = `--import ${new URL("clock.mjs", import.meta.url).href}`;
    server = await start({ NODE_OPTIONS: clock, CLOCK_OFFSET: String(-2 * 365 * 86_400_000) });
    await dead[Symbol.asyncDispose]();
    await until("the API server does not trust it", async () => {
      const { refusal = "" } = await create(secret("s"), { dryRun: true });
      return /failed calling webhook .*certificate has expired/.test(refusal) || undefined;
    });
    assert.equal((await create(bad("while-it-has-expired"))).refusal, undefined);
    await (await server.api()).rotateWebhookAuthority();

    const expired = server;
    const gone = once(expired.process, "exit");
    expired.process.kill("SIGKILL");
    await gone;
    server = await start();
    await expired[Symbol.asyncDispose]();
    api = await server.api();
    await until("it judges again", async () => mentions("no-host-network", bad("again")));
    assert.equal((await create(secret("s"))).refusal, undefined);
    const { items } = await api.listPolicies();
    assert.equal(items.find(({ name }) => name === "strict")?.setting?.failurePolicy, "Fail");
  });

  test("meanwhile the authority has changed, and the cluster trusts the new one beside those before that are good", async () => {
    await until("it trusts three, and none that has expired", async () => {
      const { webhooks } = (await kube.get(resources.validatingWebhooks, "bulwark")) as unknown as {
        webhooks: { clientConfig: { caBundle: string } }[];
      };
      const bundle = Buffer.from(webhooks[0]?.clientConfig.caBundle ?? "", "base64").toString();
      const authorities = bundle.match(/-----BEGIN[^]+?END CERTIFICATE-----/g) ?? [];
      const ends = authorities.map((one) => Date.parse(new X509Certificate(one).validTo));
      return (ends.length === 3 && ends.every((end) => end > Date.now())) || undefined;
    });
  });
});

/** A small image, under the tag 1. */
async function pushImage(cluster: Cluster, name: string): Promise<{ digest: string; size: number }> {
  const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: { Labels: { name } } }));
  const type = "application/vnd.oci.image.manifest.v1+json";
  const manifest = Buffer.from(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: type, layers: [] },
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length },
    }),
  );
  await push(cluster, name, { tag: "1", manifest, blobs: [config] });
  return { digest: digestOf(manifest), size: manifest.length };
}

/** As any client of the distribution API does. A registry without referrers finds them by the tag of the digest. */
async function push(cluster: Cluster, name: string, { tag, manifest, blobs }: Attached): Promise<void> {
  const base = `http://${cluster.registry.address}/v2/shop/${name}`;
  const put = async (url: string, body: Buffer, type: string): Promise<void> => {
    const answer = await fetch(url, { method: "PUT", headers: { "content-type": type }, body: new Uint8Array(body) });
    assert.ok(answer.ok, `${url}: ${answer.status} ${await answer.text()}`);
  };
  for (const blob of blobs) {
    const begun = await fetch(`${base}/blobs/uploads/`, { method: "POST" });
    const location = new URL(begun.headers.get("location") ?? "", base);
    location.searchParams.set("digest", digestOf(blob));
    await put(location.href, blob, "application/octet-stream");
  }
  const type = "application/vnd.oci.image.manifest.v1+json";
  await put(`${base}/manifests/${tag ?? digestOf(manifest)}`, manifest, type);
  const { subject, artifactType } = JSON.parse(manifest.toString()) as {
    subject?: { digest: string };
    artifactType?: string;
  };
  if (!subject) return;
  const entry = { mediaType: type, digest: digestOf(manifest), size: manifest.length, artifactType };
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [entry] };
  const data = Buffer.from(JSON.stringify(index));
  await put(`${base}/manifests/${subject.digest.replace(":", "-")}`, data, index.mediaType);
}

function file(cluster: Cluster, object: Json): string {
  const path = join(cluster.folder, "object.json");
  writeFileSync(path, JSON.stringify(object));
  return path;
}
