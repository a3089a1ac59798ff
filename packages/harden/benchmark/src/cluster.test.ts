import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "@bulwark/kube";
import { fakeKubernetes, type FakeObject } from "@bulwark/testkit";
import { collectCluster, evaluateBenchmark, loadLibrary } from "./index.ts";

const library = loadLibrary();
const rbac = "rbac.authorization.k8s.io/v1";

function object(apiVersion: string, kind: string, name: string, rest: object, namespace?: string): FakeObject {
  const metadata = { name, uid: `${kind}-${namespace}-${name}`, ...(namespace !== undefined && { namespace }) };
  return { apiVersion, kind, ...rest, metadata: { ...metadata, ...(rest as { metadata?: object }).metadata } };
}

async function judge(fill: (server: Awaited<ReturnType<typeof fakeKubernetes>>) => void) {
  await using server = await fakeKubernetes();
  fill(server);
  using kube = connect({ access: server.access });
  const facts = await collectCluster(kube);
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
