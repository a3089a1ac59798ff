/** What the rules say of requests that a real API server has written down: each kind of attack, asked for real. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { connect, exec, resources, type Kube } from "@bulwark/kube";
import type { StoredAlert } from "@bulwark/model";
import { openRules } from "@bulwark/rules";
import { eventually, run } from "@bulwark/testkit";
import { busyboxImage, type Cluster } from "../cluster/cluster.ts";
import { startProduct } from "../product.ts";
import { createAccount, namespace } from "./accounts.ts";

/** The API server, once it is there. */
export interface ApiServer {
  cluster: Cluster;
  kube: Kube;
}

interface Deed {
  what: string;
  /** Rules that have to tell of it, each with the object that it names; "" for a request about many. */
  alerts: Record<string, string>;
  ask(there: There): unknown;
}

interface There extends ApiServer {
  /** A pod of the deployment `web`. */
  web: string;
  /** A service account that may read Secrets and make deployments. */
  workload: Kube;
  kubectl(...words: string[]): string;
  /** As somebody who has no credentials; resolves with the status. */
  anonymously(path: string): Promise<number>;
}

/** Rules that are not shown here, each with the reason. */
const unseen: Record<string, string> = {
  "credentials-put-into-a-configmap":
    "takes the bodies of ConfigMaps in the log, which the policy of the tests, as most, keeps out; its cases hold it",
};

const metadata = (name: string, more: object = {}): { name: string } => ({ name, ...more });
const place = { namespace };
const red = { labels: { team: "red" } };

/** A pod that is never placed. */
function nowhere(name: string, where = namespace, spec: object = {}, container: object = {}) {
  return {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: where, ...red } },
    spec: {
      ...{ nodeSelector: { there: "is-none" }, terminationGracePeriodSeconds: 0, ...spec },
      containers: [{ name: "main", image: busyboxImage, command: ["sleep", "36000"], ...container }],
    },
  };
}

const powerful = nowhere(
  "powerful",
  namespace,
  { hostPID: true, volumes: [{ name: "host", hostPath: { path: "/" } }] },
  {
    securityContext: { privileged: true, capabilities: { add: ["SYS_ADMIN"] } },
    volumeMounts: [{ name: "host", mountPath: "/host" }],
  },
);

const deeds: Deed[] = [
  {
    what: "a command in a pod",
    alerts: { "command-run-in-a-pod": "web" },
    ask: async ({ kube, web }) => exec(kube, { namespace, pod: web, command: ["true"] }),
  },
  {
    what: "a pod that is attached to, refused for want of an upgrade",
    alerts: { "pod-attached-or-its-ports-forwarded": "web" },
    ask: async ({ kube, web }) => kube.read(`/api/v1/namespaces/${namespace}/pods/${web}/attach?stdout=true`),
  },
  {
    what: "a container in a running pod",
    alerts: { "container-added-to-a-running-pod": "web" },
    ask: ({ web, kubectl }) => kubectl("debug", web, `--image=${busyboxImage}`, "--target=main", "--", "true"),
  },
  {
    what: "somebody without credentials, by hand",
    alerts: { "anonymous-request-refused": "", "request-of-an-unusual-client": "" },
    ask: async ({ anonymously }) => assert.equal(await anonymously("/api/v1/secrets"), 403),
  },
  {
    what: "rights for everybody, which somebody uses",
    alerts: { "rights-given-to-everybody": "anybody", "anonymous-request-answered": "" },
    async ask({ kube, anonymously }) {
      const subjects = [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "system:anonymous" }];
      const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" };
      await kube.create(resources.clusterRoleBindings, { metadata: metadata("anybody"), subjects, roleRef });
      const answered = async (): Promise<true | undefined> =>
        (await anonymously("/api/v1/configmaps")) === 200 || undefined;
      await eventually("it is answered", answered, 30_000);
      await kube.delete(resources.clusterRoleBindings, "anybody");
    },
  },
  {
    what: "all Secrets",
    alerts: { "secrets-listed-by-a-person-or-workload": "" },
    ask: async ({ kube }) => kube.list(resources.secrets),
  },
  {
    what: "a Secret of the cluster, read by a workload",
    alerts: { "secret-read-by-a-service-account-of-another-namespace": "bootstrap" },
    ask: async ({ workload }) => workload.get(resources.secrets, "bootstrap", { namespace: "kube-system" }),
  },
  {
    what: "what a token may do",
    alerts: { "many-rights-of-a-user-asked-for": "" },
    ask: ({ workload }) => review(workload),
  },
  {
    what: "another user",
    alerts: { "another-user-impersonated": "" },
    ask: ({ kubectl }) => kubectl("get", "pods", "--as=admin", "--as-group=system:masters"),
  },
  {
    what: "a token",
    alerts: { "token-of-a-service-account-made": "bulwark-agent" },
    ask: ({ kubectl }) => kubectl("create", "token", "bulwark-agent"),
  },
  {
    what: "a pod that could do everything to its node",
    alerts: {
      "privileged-pod-made": "powerful",
      "pod-with-namespaces-of-the-host-made": "powerful",
      "pod-with-a-sensitive-path-of-the-host-made": "powerful",
      "pod-with-dangerous-capabilities-made": "powerful",
    },
    ask: async ({ kube }) => kube.create(resources.pods, powerful),
  },
  {
    what: "a pod and an account among the parts of the cluster",
    alerts: {
      "pod-made-in-a-namespace-of-the-cluster": "hidden",
      "service-account-made-among-the-parts-of-the-cluster": "hidden",
    },
    async ask({ kube }) {
      await kube.create(resources.pods, nowhere("hidden", "kube-system"));
      await kube.create(resources.serviceAccounts, { metadata: metadata("hidden", { namespace: "kube-system" }) });
    },
  },
  {
    what: "a static pod, put on the node",
    alerts: { "static-pod-appeared": "static-node-1" },
    async ask({ cluster, kube }) {
      const file = join(cluster.nodes[0]?.folder ?? "", "manifests/static.json");
      const { spec, ...pod } = nowhere("static");
      writeFileSync(file, JSON.stringify({ ...pod, spec: { containers: spec.containers } }));
      await eventually("its mirror", async () => kube.get(resources.pods, "static-node-1", place), 60_000);
      rmSync(file);
    },
  },
  {
    what: "a scheduled task",
    alerts: { "scheduled-task-of-the-cluster-made-or-changed": "nightly" },
    async ask({ kube }) {
      const { spec } = nowhere("nightly");
      const template = { spec: { template: { spec: { ...spec, restartPolicy: "Never" } } } };
      const task = { schedule: "0 0 30 2 *", jobTemplate: template };
      await kube.create(resources.cronJobs, { metadata: metadata("nightly", place), spec: task });
    },
  },
  {
    what: "roles that lead to everything",
    alerts: { "role-with-all-rights-made": "everything", "role-that-leads-to-more-rights-made": "more" },
    async ask({ kube }) {
      const every = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];
      await kube.create(resources.clusterRoles, { metadata: metadata("everything"), rules: every });
      const rules = [{ apiGroups: [""], resources: ["users"], verbs: ["impersonate"] }];
      await kube.create(resources.roles, { metadata: metadata("more", place), rules });
    },
  },
  {
    what: "control of the cluster",
    alerts: { "control-of-the-cluster-given-away": "ann" },
    ask: ({ kubectl }) => kubectl("create", "clusterrolebinding", "ann", "--clusterrole=cluster-admin", "--user=ann"),
  },
  {
    what: "a role of the cluster itself",
    alerts: { "role-or-binding-of-the-cluster-changed": "system:discovery" },
    ask: async ({ kube }) =>
      kube.patch(resources.clusterRoles, "system:discovery", { metadata: { annotations: { seen: "1" } } }),
  },
  {
    what: "what looks at every request",
    alerts: { "webhook-of-the-api-server-changed": "none" },
    async ask({ kube }) {
      await kube.create(resources.validatingWebhooks, { metadata: metadata("none"), webhooks: [] });
      await kube.delete(resources.validatingWebhooks, "none");
    },
  },
  {
    what: "a node, through the API server",
    alerts: { "node-asked-through-the-api-server": "node-1" },
    ask: async ({ kube }) => kube.read("/api/v1/nodes/node-1/proxy/pods"),
  },
  {
    what: "a certificate that is approved",
    alerts: { "certificate-request-approved": "ben" },
    async ask({ cluster, kube, kubectl }) {
      const key = join(cluster.folder, "ben.key");
      const request = run("openssl", [
        ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key],
        ...["-subj", "/CN=ben"],
      ]);
      const kind = { kind: "CertificateSigningRequest", plural: "certificatesigningrequests", namespaced: false };
      const spec = { signerName: "kubernetes.io/kube-apiserver-client", usages: ["client auth"] };
      await kube.create(
        { apiVersion: "certificates.k8s.io/v1", ...kind },
        { metadata: metadata("ben"), spec: { ...spec, request: Buffer.from(request).toString("base64") } },
      );
      kubectl("certificate", "approve", "ben");
    },
  },
  {
    what: "traces that are removed",
    alerts: { "events-of-the-cluster-deleted": "" },
    ask: async ({ kube }) =>
      kube.transport.json({ method: "DELETE", path: `/api/v1/namespaces/${namespace}/events`, what: "delete events" }),
  },
  {
    what: "a port of every node",
    alerts: { "service-opened-on-every-node": "door" },
    ask: async ({ kube }) =>
      kube.create(resources.services, {
        metadata: metadata("door", place),
        spec: { type: "NodePort", selector: { app: "web" }, ports: [{ port: 80 }] },
      }),
  },
  {
    what: "a namespace that is deleted",
    alerts: { "namespace-deleted": "gone" },
    async ask({ kube }) {
      await kube.create(resources.namespaces, { metadata: metadata("gone") });
      await kube.delete(resources.namespaces, "gone");
    },
  },
];

/** Whose work is the cluster's own. */
const own = /^system:(?:kube-|apiserver$|node:|serviceaccount:kube-system:)/;

export function auditLogTests(server: ApiServer): void {
  test("what is attacked through the API server is told, with who, what, workload and labels; all else is not", async () => {
    const { cluster, kube } = server;
    await using product = await startProduct({
      command: "serve",
      config: JSON.stringify({
        server: { kubernetes: { clusters: [{ name: "real", kubeconfig: cluster.kubeconfig }] } },
      }),
    });
    const api = await product.api();
    await eventually(
      "the cluster is known",
      async () => {
        const { items } = await api.listClusters();
        return items.some(({ name, syncedAt }) => name === "real" && syncedAt !== null) || undefined;
      },
      60_000,
    );
    const [web] = (await kube.list(resources.pods, { namespace, labelSelector: "app=web" })).items;
    assert.ok(web);
    const rights = { apiGroups: ["", "apps"], resources: ["secrets", "deployments", "pods"], verbs: ["get", "create"] };
    const kubeconfig = await createAccount(cluster, kube, "workload", { cluster: [rights], own: [rights] });
    using workload = connect({ kubeconfig });
    await kube.create(resources.secrets, { metadata: metadata("bootstrap", { namespace: "kube-system" }) });
    await ordinaryWork(workload);
    const there: There = {
      ...{ cluster, kube, workload, web: web.metadata.name },
      kubectl: (...words) => cluster.kubectl("--namespace", namespace, ...words),
      anonymously: async (path) => anonymous(`${cluster.server}${path}`),
    };
    for (const { what, ask } of deeds) {
      try {
        await ask(there);
      } catch (error) {
        // Refused, and logged all the same.
        assert.match(String(error), /attach|upgrade/i, what);
      }
    }

    const items = await eventually(
      "the last of it is told",
      async () => {
        await send(product.url, (await api.createAuditToken({ params: { id: "real" }, body: { days: 1 } })).secret);
        const { items: all } = await api.listAlerts({ query: { limit: 500 } });
        const lacking = deeds.flatMap(({ what, alerts }) =>
          Object.entries(alerts)
            .filter(([rule, name]) => alertOf(all, rule, name, there) === undefined)
            .map(([rule]) => `${what}: ${rule}`),
        );
        assert.deepEqual(lacking, []);
        return all;
      },
      30_000,
    );
    assert.deepEqual(
      items
        .filter(({ rule, request }) => own.test(request?.user ?? "") && rule !== "static-pod-appeared")
        .map(({ rule, request }) => [rule, request]),
      [],
      "the cluster's own work",
    );
    const ofWorkload = items.filter(({ request }) => request?.user === `system:serviceaccount:${namespace}:workload`);
    assert.deepEqual(
      ofWorkload.map(({ rule }) => rule).toSorted(),
      ["many-rights-of-a-user-asked-for", "secret-read-by-a-service-account-of-another-namespace"],
      "ordinary work",
    );

    const command = alertOf(items, "command-run-in-a-pod", "web", there)?.request;
    assert.deepEqual([command?.user, command?.uid, command?.labels["app"]], ["admin", web.metadata.uid, "web"]);
    assert.deepEqual(
      command?.owners.map(({ kind }) => kind),
      ["ReplicaSet", "Deployment"],
    );
    const made = alertOf(items, "privileged-pod-made", "powerful", there)?.request;
    assert.deepEqual([made?.user, made?.labels["team"]], ["admin", "red"]);
    const mirror = alertOf(items, "static-pod-appeared", "static-node-1", there)?.request;
    assert.deepEqual([mirror?.user, mirror?.labels["team"]], ["system:node:node-1", "red"]);

    const rules = openRules({ files: [], disabled: [] }).ruleset.rules.filter(({ source }) => source === "k8s_audit");
    const shown = new Set(deeds.flatMap(({ alerts }) => Object.keys(alerts)));
    assert.deepEqual(
      rules.map(({ id }) => id).filter((id) => !shown.has(id) && unseen[id] === undefined),
      [],
      "no deed shows them",
    );
  });

  /** All that the API server has written down so far, as it would send it. */
  async function send(url: string, secret: string): Promise<void> {
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    const lines = readFileSync(server.cluster.auditLog, "utf8").split("\n").slice(0, -1);
    for (let at = 0; at < lines.length; at += 500) {
      const body = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[${lines.slice(at, at + 500).join()}]}`;
      const answer = await fetch(`${url}/api/kubernetes/v1/audit`, { method: "POST", headers, body });
      assert.equal(answer.status, 200, await answer.text());
    }
  }
}

function alertOf(items: readonly StoredAlert[], rule: string, name: string, there: There): StoredAlert | undefined {
  const wanted = name === "web" ? there.web : name;
  return items.find((item) => item.rule === rule && item.request?.cluster === "real" && item.request.name === wanted);
}

/** What a workload does all day: its deployments and its own Secrets. */
async function ordinaryWork(workload: Kube): Promise<void> {
  const metadataOf = metadata("ordinary", place);
  const selector = { matchLabels: { app: "ordinary" } };
  const template = { metadata: { labels: selector.matchLabels }, spec: nowhere("ordinary").spec };
  await workload.create(resources.deployments, { metadata: metadataOf, spec: { replicas: 0, selector, template } });
  await workload.get(resources.deployments, "ordinary", place);
  await workload.get(resources.secrets, "bulwark-join", place).catch(() => undefined);
}

async function review(workload: Kube): Promise<unknown> {
  const kind = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: place };
  const path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
  return workload.transport.json({ method: "POST", path, body: kind, what: "ask for rights" });
}

async function anonymous(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const how = { rejectUnauthorized: false, headers: { "user-agent": "curl/8.14" } };
    get(url, how, (answer) => answer.resume().once("end", () => resolve(answer.statusCode ?? 0))).once("error", reject);
  });
}
