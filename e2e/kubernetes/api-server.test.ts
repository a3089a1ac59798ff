/** A real API server, one for all of these: the client that asks it, and what is said where a right is lacking. */
import { after, before, describe } from "node:test";
import { connect, type Kube } from "@bulwark/kube";
import { missing } from "@bulwark/testkit";
import { busyboxImage, startCluster, type Cluster } from "../cluster/cluster.ts";
import { namespace } from "./accounts.ts";
import { auditLogTests, type ApiServer } from "./audit-log.ts";
import { checkTests } from "./check.ts";
import { clientTests } from "./client.ts";
import { elsewhereTests } from "./elsewhere.ts";
import { rightsTests } from "./rights.ts";
import { webhookTests } from "./webhook-rights.ts";

describe("a real API server", { skip: missing("cluster") }, () => {
  const stack = new AsyncDisposableStack();
  let cluster: Cluster;
  let kube: Kube;

  before(async () => {
    cluster = stack.use(await startCluster({ nodes: 1 }));
    kube = stack.use(connect({ kubeconfig: cluster.kubeconfig }));
    cluster.apply(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "bulwark-agent", namespace } },
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "bulwark-authority", namespace } },
      {
        ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace } },
        spec: {
          selector: { matchLabels: { app: "web" } },
          template: { metadata: { labels: { app: "web" } }, spec: sleeper() },
        },
      },
      {
        ...{ apiVersion: "batch/v1", kind: "Job", metadata: { name: "night", namespace } },
        spec: { template: { metadata: { labels: { app: "night" } }, spec: { ...sleeper(), restartPolicy: "Never" } } },
      },
      {
        ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "agent", namespace, labels: { app: "agent" } } },
        spec: { ...sleeper(), serviceAccountName: "bulwark-agent" },
      },
    );
    cluster.ready(["--all"], { namespace });
  });
  after(async () => stack.disposeAsync());

  const there: ApiServer = {
    get cluster() {
      return cluster;
    },
    get kube() {
      return kube;
    },
  };
  describe("the client", () => clientTests(there));
  describe("bulwark check cluster", () => checkTests(there));
  describe("rights of the chart", () => rightsTests(there));
  describe("rights of the webhook", () => webhookTests(there));
  describe("its audit log", { skip: missing("openssl") }, () => auditLogTests(there));
  describe("the chart, where the server is elsewhere", { skip: missing("bpf", "clang") }, () => elsewhereTests(there));
});

function sleeper(): object {
  return {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "main", image: busyboxImage, command: ["sleep", "36000"] }],
  };
}
