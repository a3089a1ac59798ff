import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openDatabase, updateDatabase, type AdvisoryDatabase } from "@bulwark/advisory";
import { connect } from "@bulwark/kube";
import { fakeKubernetes, type FakeObject } from "@bulwark/testkit";
import { collectCluster, evaluateBenchmark, loadLibrary } from "./index.ts";

const library = loadLibrary();
const rbac = "rbac.authorization.k8s.io/v1";

function object(apiVersion: string, kind: string, name: string, rest: object, namespace?: string): FakeObject {
  const metadata = { name, uid: `${kind}-${namespace}-${name}`, ...(namespace !== undefined && { namespace }) };
  return { apiVersion, kind, ...rest, metadata: { ...metadata, ...(rest as { metadata?: object }).metadata } };
}

async function judge(fill: (server: Awaited<ReturnType<typeof fakeKubernetes>>) => void, database?: AdvisoryDatabase) {
  await using server = await fakeKubernetes();
  fill(server);
  using kube = connect({ access: server.access });
  const facts = await collectCluster(kube, database);
  const { results } = evaluateBenchmark(library, { kind: "cluster", name: "east" }, facts);
  return Map.groupBy(results, ({ check }) => check);
}

test("flags of a control plane in pods, pods, and what roles grant", async () => {
  const results = await judge((server) => {
    server.put(
      "/api/v1/pods",
      object(
        "v1",
        "Pod",
        "kube-apiserver-a",
        {
          metadata: { labels: { component: "kube-apiserver" } },
          spec: {
            containers: [
              { name: "a", command: ["kube-apiserver", "--authorization-mode=Node,RBAC", "--profiling=true"] },
            ],
          },
        },
        "kube-system",
      ),
      object(
        "v1",
        "Pod",
        "web",
        { spec: { containers: [{ name: "a", securityContext: { privileged: true } }] } },
        "shop",
      ),
    );
    server.put(
      `/apis/${rbac}/clusterroles`,
      object(rbac, "ClusterRole", "reader", { rules: [{ verbs: ["list"], apiGroups: [""], resources: ["secrets"] }] }),
    );
    server.put(
      `/apis/${rbac}/clusterrolebindings`,
      object(rbac, "ClusterRoleBinding", "all-read", {
        roleRef: { kind: "ClusterRole", name: "reader" },
        subjects: [{ kind: "Group", name: "system:authenticated" }],
      }),
    );
  });
  const state = (name: string): string | undefined => results.get(name)?.[0]?.state;
  assert.equal(state("cluster-apiserver-rbac"), "pass");
  assert.equal(state("cluster-apiserver-profiling"), "fail");
  assert.equal(state("cluster-etcd-client-auth"), "unknown", "etcd is no pod here: its machine tells");
  assert.match(results.get("cluster-pods-privileged")?.[0]?.reason ?? "", /shop\/web is privileged/);
  assert.match(results.get("cluster-grants-secrets")?.[0]?.reason ?? "", /system:authenticated read secrets by reader/);
  assert.equal(state("cluster-grants-create-pods"), "pass");
});

test("what a provider hides is not applicable; a kubelet that does not tell is unknown", async () => {
  const results = await judge((server) =>
    server.put(
      "/api/v1/nodes",
      object("v1", "Node", "a", {
        spec: { providerID: "aws:///eu/i-1" },
        status: { nodeInfo: { kubeletVersion: "v1.33.1-eks-1" } },
      }),
    ),
  );
  assert.deepEqual(
    results.get("cluster-apiserver-rbac")?.map(({ state, reason }) => [state, reason]),
    [["not-applicable", "Amazon EKS runs the control plane, and shows nothing of it"]],
  );
  assert.equal(results.get("cluster-kubelet-anonymous")?.[0]?.state, "unknown");
  assert.match(results.get("cluster-kubelet-anonymous")?.[0]?.reason ?? "", /does not tell its configuration/);
});

test("a grant is judged by the groups of its rules, and is Kubernetes' own only where it names nobody else", async () => {
  const rules = (name: string, ...given: object[]) => object(rbac, "ClusterRole", name, { rules: given });
  const bound = (name: string, role: string, ...subjects: object[]) =>
    object(rbac, "ClusterRoleBinding", name, { roleRef: { kind: "ClusterRole", name: role }, subjects });
  const user = (name: string) => ({ kind: "User", name });
  const results = await judge((server) => {
    server.put(
      `/apis/${rbac}/clusterroles`,
      rules("apps", { verbs: ["*"], apiGroups: ["apps"], resources: ["*"] }),
      rules("kubelets", { verbs: ["get"], apiGroups: [""], resources: ["*/proxy"] }),
      rules("secrets", { verbs: ["get"], apiGroups: [""], resources: ["secrets"] }),
    );
    server.put(
      `/apis/${rbac}/clusterrolebindings`,
      bound("deployers", "apps", user("dave")),
      bound("debuggers", "kubelets", user("kim")),
      bound("system:quiet", "secrets", user("eve")),
      bound("system:controller:x", "secrets", { kind: "ServiceAccount", namespace: "kube-system", name: "x" }),
      bound("nobody", "secrets"),
    );
  });
  const failures = (check: string): string[] =>
    (results.get(check) ?? []).flatMap(({ state, reason }) => (state === "fail" ? [reason] : []));
  assert.deepEqual(failures("cluster-grants-create-pods"), []);
  assert.deepEqual(failures("cluster-grants-wildcards"), [
    "ClusterRoleBinding deployers lets User dave do anything to a kind or with a kind everything by apps",
  ]);
  assert.equal(failures("cluster-grants-nodes-proxy").length, 1);
  assert.deepEqual(failures("cluster-grants-secrets"), [
    "ClusterRoleBinding system:quiet lets User eve read secrets by secrets",
  ]);
});

test("versions are held against advisories, without what a distributor adds; without a database they are unknown", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-versions-"));
  context.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "mirror/kubernetes"), { recursive: true });
  const advisory = {
    ...{ id: "CVE-2099-1", modified: "2099-01-01T00:00:00Z", summary: "a way to the node" },
    affected: [
      {
        package: { ecosystem: "kubernetes", name: "k8s.io/kubelet" },
        severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H" }],
        ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "1.29.4" }] }],
      },
    ],
  };
  writeFileSync(join(folder, "mirror/kubernetes/components.json"), JSON.stringify([advisory]));
  await updateDatabase({ into: join(folder, "a.db"), from: join(folder, "mirror") });
  using database = openDatabase(join(folder, "a.db"));
  const node = (name: string, version: string) =>
    object("v1", "Node", name, { status: { nodeInfo: { kubeletVersion: version } } });
  const fill = (server: Awaited<ReturnType<typeof fakeKubernetes>>): void =>
    server.put(
      "/api/v1/nodes",
      node("old", "v1.29.3-eks-ae9a62a"),
      node("new", "v1.29.4-gke.1043"),
      node("next", "v1.30.0+k3s1"),
    );
  const known = (await judge(fill, database)).get("cluster-version-kubelet") ?? [];
  assert.deepEqual(
    known.map(({ state, reason }) => `${state}: ${reason}`),
    ["fail: node old has v1.29.3-eks-ae9a62a: CVE-2099-1, mended in 1.29.4"],
  );
  const [unknown] = (await judge(fill)).get("cluster-version-kubelet") ?? [];
  assert.equal(unknown?.state, "unknown");
  assert.match(unknown.reason, /no advisory database/);
  const etcd = object(
    "v1",
    "Pod",
    "etcd-a",
    { spec: { containers: [{ name: "etcd", image: "registry.k8s.io/etcd:3.5.10-0@sha256:ab" }] } },
    "kube-system",
  );
  const [lacking] =
    (await judge((server) => server.put("/api/v1/pods", etcd), database)).get("cluster-version-etcd") ?? [];
  assert.equal(lacking?.state, "unknown");
  assert.match(lacking.reason, /no advisories of Go are in the database/, "what the database lacks is no clean bill");
});
