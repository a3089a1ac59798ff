/** A real API server: the client that asks it, and what is said where a right is lacking. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { requestFor, type AdmissionRequest } from "@bulwark/admission";
import type { AdmissionResponse } from "@bulwark/gate";
import { can, connect, exec, KubeError, readKubeconfig, resources, reviewToken, watch, type Kube } from "@bulwark/kube";
import type { Client } from "@bulwark/contract";
import { policySetting, type BenchmarkReport } from "@bulwark/model";
import { createLogger } from "@bulwark/telemetry";
import { eventually, freePort, missing, run } from "@bulwark/testkit";
import { PodBook } from "../../apps/agent/src/pods.ts";
import { ticketFrom } from "../../apps/agent/src/ticket.ts";
import { busyboxImage, startCluster, type Cluster } from "../cluster/cluster.ts";
import { hostAddress } from "../cluster/network.ts";
import { bulwark, startProduct, type Product } from "../product.ts";
import { startSender } from "../replicas.ts";
import { chartRights, createAccount, lacks, namespace, tokenOf, writeUser, type Rights } from "./accounts.ts";
import { auditLogTests } from "./audit-log.ts";
import { agentsWatch, chart, podOf, pushImages, reverseShell, rollout } from "./installed.ts";
import { postures } from "./objects.ts";

/** Its remedy, status and reason are for people; who decides goes by its code. */
const failsWith = (code: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof KubeError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, text);
  return true;
};

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

  describe("the client", () => {
    const map = resources.configMaps;

    test("applies on the server's side: each manager owns its fields, and is told who owns what it may not change", async () => {
      const of = (data: object): { metadata: { name: string; namespace: string }; data: object } => ({
        metadata: { name: "shared", namespace },
        data,
      });
      await kube.apply(map, of({ colour: "blue", size: "1" }), { fieldManager: "one" });
      await kube.apply(map, of({ shape: "round" }), { fieldManager: "two" });
      await assert.rejects(
        kube.apply(map, of({ colour: "red" }), { fieldManager: "two" }),
        failsWith("conflict", /"one".*colour/s),
      );
      await kube.apply(map, of({ colour: "red" }), { fieldManager: "two", force: true, dryRun: true });
      assert.deepEqual((await kube.get(map, "shared", { namespace }))["data"], {
        colour: "blue",
        size: "1",
        shape: "round",
      });
      await kube.apply(map, of({ colour: "red" }), { fieldManager: "two", force: true });
      // What a manager does not say any more goes; what another one owns stays.
      assert.deepEqual((await kube.get(map, "shared", { namespace }))["data"], { colour: "red", size: "1" });
      assert.equal(await kube.delete(map, "shared", { namespace }), true);
      assert.equal(await kube.delete(map, "shared", { namespace }), false);
    });

    test("runs a command in a container: both outputs, its input, its status, its bounds", async () => {
      const place = { namespace, pod: "agent" };
      const command = ["sh", "-c", "cat; echo sorry >&2; exit 7"];
      const result = await exec(kube, { ...place, container: "main", command, stdin: "said\n" });
      assert.deepEqual(result, { code: 7, stdout: "said\n", stderr: "sorry\n", truncated: false });
      const long = await exec(kube, { ...place, command: ["seq", "100000"], maxOutput: 1000 });
      assert.deepEqual([long.code, long.stdout.length, long.truncated], [0, 1000, true]);
      await assert.rejects(
        exec(kube, { ...place, command: ["sleep", "60"], timeout: 1000 }),
        failsWith("unreachable", /not done after 1 s/),
      );
      await assert.rejects(
        exec(kube, { ...place, pod: "nobody", command: ["true"] }),
        failsWith("not-found", /nobody/),
      );
      await assert.rejects(exec(kube, { ...place, command: ["/no/such"] }), failsWith("server", /no such file/));
    });

    test("evicts a pod as a drain does: a budget refuses, and says so; without it the pod goes", async () => {
      const budget = {
        apiVersion: "policy/v1",
        plural: "poddisruptionbudgets",
        kind: "PodDisruptionBudget",
        namespaced: true,
      };
      const spec = { minAvailable: 1, selector: { matchLabels: { app: "web" } } };
      await kube.create(budget, {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "web", namespace },
        spec,
      });
      await eventually(
        "the budget is counted",
        async () => {
          const { status } = (await kube.get(budget, "web", { namespace })) as { status?: { currentHealthy?: number } };
          return status?.currentHealthy === 1 || undefined;
        },
        30_000,
      );
      const [pod] = (await kube.list(resources.pods, { namespace, labelSelector: "app=web" })).items;
      assert.ok(pod);
      await assert.rejects(kube.evict(pod.metadata.name, namespace), failsWith("busy", /disruption budget/));
      await kube.delete(budget, "web", { namespace });
      await kube.evict(pod.metadata.name, namespace);
      await eventually(
        "it goes",
        async () => {
          const left = (await kube.list(resources.pods, { namespace, labelSelector: "app=web" })).items;
          return (
            left.every(({ metadata }) => metadata.uid !== pod.metadata.uid || metadata.deletionTimestamp) || undefined
          );
        },
        30_000,
      );
      await assert.rejects(kube.evict("nobody", namespace), failsWith("not-found", /nobody/));
    });

    test("asks who may do what, for others and for itself, and whose a token is", async () => {
      const view = {
        kind: "ClusterRoleBinding",
        apiVersion: "rbac.authorization.k8s.io/v1",
        metadata: { name: "viewers" },
      };
      const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" };
      const subjects = [{ kind: "Group", name: "viewers", apiGroup: "rbac.authorization.k8s.io" }];
      await kube.create(resources.clusterRoleBindings, { ...view, roleRef, subjects });
      const subject = { user: "ann", groups: ["viewers"] };
      const pods = { resource: "pods", namespace, subject };
      await eventually(
        "the binding is known",
        async () => (await can(kube, { verb: "list", ...pods })).allowed || undefined,
      );
      assert.match((await can(kube, { verb: "list", ...pods })).reason, /viewers/);
      assert.equal((await can(kube, { verb: "delete", ...pods })).allowed, false);
      assert.equal((await can(kube, { verb: "get", path: "/metrics", subject })).allowed, false);
      assert.equal((await can(kube, { verb: "get", path: "/metrics" })).allowed, true);
      assert.equal((await can(kube, { verb: "impersonate", resource: "users" })).allowed, true);

      const boundObjectRef = { kind: "Pod", apiVersion: "v1", name: "agent" };
      const token = await tokenOf(kube, "bulwark-agent", { audiences: ["bulwark"], boundObjectRef });
      const identity = await reviewToken(kube, token, ["bulwark"]);
      assert.equal(identity?.user, `system:serviceaccount:${namespace}:bulwark-agent`);
      assert.deepEqual(identity.extra["authentication.kubernetes.io/node-name"], ["node-1"]);
      assert.equal(await reviewToken(kube, token, ["vault"]), undefined);
      assert.equal(await reviewToken(kube, token), undefined, "for the API server itself it is nobody's");
      assert.equal(await reviewToken(kube, `${token.slice(0, -4)}AAAA`, ["bulwark"]), undefined);
    });

    test("is known by certificates in files, and by what a program gives: token or certificate, asked anew when refused", async () => {
      const { ca = "" } = readKubeconfig({ path: cluster.kubeconfig });
      const at = (file: string): string => join(cluster.folder, "pki", file);
      const write = (name: string, user: object): string => writeUser(at(name), cluster.server, ca, user);
      const who = async (kubeconfig: string): Promise<string> => {
        using client = connect({ kubeconfig });
        const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
        const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        const answer = await client.transport.json({ method: "POST", path, body: review, what: "ask who we are" });
        return (answer as { status: { userInfo: { username: string } } }).status.userInfo.username;
      };
      // As people write it: relative to the file.
      assert.equal(
        await who(write("files", { "client-certificate": "admin.crt", "client-key": "admin.key" })),
        "admin",
      );

      // The first token is refused, as one that ended early would be.
      const token = await tokenOf(kube, "bulwark-agent", {});
      const plugin = (file: string, body: string): object => {
        writeFileSync(at(file), `#!/bin/sh\n${body}\n`);
        chmodSync(at(file), 0o755);
        return {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1",
            command: `./${file}`,
            args: ["login"],
            env: [{ name: "WHO", value: "me" }],
          },
        };
      };
      const said = (status: object): string =>
        `echo '${JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status })}'`;
      const asked = at("asked");
      const giver = plugin(
        "giver",
        `[ "$1" = login ] && [ "$WHO" = me ] || exit 3
echo "$KUBERNETES_EXEC_INFO" >>${asked}
if [ "$(wc -l <${asked})" = 1 ]; then ${said({ token: "ended" })}; else ${said({ token })}; fi`,
      );
      assert.equal(await who(write("by-token", giver)), `system:serviceaccount:${namespace}:bulwark-agent`);
      const infos = readFileSync(asked, "utf8").trim().split("\n");
      assert.equal(infos.length, 2);
      assert.equal((JSON.parse(infos[0] ?? "") as { kind: string }).kind, "ExecCredential");

      const [clientCertificateData, clientKeyData] = ["admin.crt", "admin.key"].map((file) =>
        readFileSync(at(file), "utf8"),
      );
      const signer = plugin("signer", said({ clientCertificateData, clientKeyData }).replaceAll("\\n", "\\\\n"));
      assert.equal(await who(write("by-certificate", signer)), "admin");
      const broken = write("broken", plugin("broken-plugin", "echo 'no smart card' >&2; exit 1"));
      await assert.rejects(who(broken), failsWith("bad-config", /broken-plugin failed: no smart card/));
      const wrong = write("wrong", { token: "wrong" });
      await assert.rejects(who(wrong), failsWith("unauthorized", /ask who we are/));
    });

    test("reads lists page by page, and hears of a version that is no longer kept", async () => {
      const sizes: number[] = [];
      for await (const { items } of kube.pages(resources.clusterRoles, { limit: 20 })) sizes.push(items.length);
      assert.ok(sizes.length > 2 && sizes.slice(0, -1).every((size) => size === 20), sizes.join());
      const { resources: found, failed } = await kube.discover();
      assert.deepEqual(failed, []);
      for (const known of Object.values(resources)) {
        const { plural } = known;
        assert.deepEqual(
          found.find((it) => it.plural === plural && it.apiVersion === known.apiVersion),
          known,
        );
      }

      // Nothing is known of a kind from before it came: older versions are refused, as those that were compacted are.
      const group = "test.bulwark";
      const kind = { kind: "Thing", plural: "things", singular: "thing" };
      const schema = { openAPIV3Schema: { type: "object" } };
      cluster.apply({
        ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
        metadata: { name: `things.${group}` },
        spec: { group, names: kind, scope: "Cluster", versions: [{ name: "v1", served: true, storage: true, schema }] },
      });
      const path = `/apis/${group}/v1/things`;
      await eventually("the new kind is served", async () => kube.read(path), 30_000);
      await eventually(
        "the old version is refused",
        async () => {
          // Until the store of the new kind is ready the API server says that it is busy.
          await assert.rejects(watch(kube, path, { resourceVersion: "1" }).next(), failsWith("gone", /watch/));
          return true;
        },
        30_000,
      );
    });
  });

  describe("bulwark check cluster", () => {
    const check = (kubeconfig: string): BenchmarkReport => {
      const call = ["check", "cluster", "--kubeconfig", kubeconfig, "--format", "json"];
      // It leaves with another code than 0 where something fails or is not known.
      const { stdout, stderr } = spawnSync(bulwark, call, { encoding: "utf8", maxBuffer: 64 * 1024 ** 2 });
      assert.ok(stdout.startsWith("{"), stderr);
      return JSON.parse(stdout) as BenchmarkReport;
    };

    test("names what is not as it should be, by the object, and nothing that is", () => {
      cluster.apply(...postures());
      const { results } = check(cluster.kubeconfig);
      const told = (name: string, state: string): string[] =>
        results.filter((one) => one.check === name && one.state === state).map(({ reason }) => reason);
      const ofPods = [
        ...["tokens", "privileged", "host-pid", "host-ipc", "host-network", "escalation", "root", "net-raw"],
        ...["capabilities", "host-path", "host-ports", "secret-environment", "seccomp"],
      ];
      for (const name of ofPods) {
        const failed = told(`cluster-pods-${name}`, "fail");
        assert.equal(failed.filter((reason) => reason.includes("loose/bad")).length, 1, `${name}: ${failed.join()}`);
        assert.ok(!failed.some((reason) => reason.includes("safe/")), `${name}: ${failed.join()}`);
      }
      for (const name of ["cluster-default-accounts", "cluster-pod-security", "cluster-network-policies"]) {
        const failed = told(name, "fail").map((reason) => / (safe|loose)\b/.exec(reason)?.[1] ?? "");
        assert.deepEqual(failed.filter(Boolean), ["loose"], name);
      }
      const grants = ["cluster-grants-secrets", "cluster-admin-bindings"].flatMap((name) => told(name, "fail"));
      assert.ok(
        grants.some((reason) => /reads-secrets lets User eve/.test(reason)),
        grants.join(),
      );
      assert.ok(
        grants.some((reason) => /everything gives cluster-admin to User mallory/.test(reason)),
        grants.join(),
      );
      assert.ok(!results.some(({ state, reason }) => state === "fail" && /\b(?:dave|deploys)\b/.test(reason)));
      // By each kubelet's own word.
      assert.deepEqual(told("cluster-kubelet-anonymous", "pass"), ["holds of the one there"]);
      assert.equal(
        told("cluster-kubelet-iptables-chains", "fail").length,
        1,
        "the kubelets of the tests make no chains",
      );
      assert.equal(told("cluster-apiserver-rbac", "unknown").length, 1, "its API server is a process and no pod");
    });

    test("what an account may not read is unknown, and said to be, and neither good nor bad", async () => {
      const { results } = check(await createAccount(cluster, kube, "blind", { cluster: [], own: [] }));
      const judged = results.filter(({ state }) => state === "pass" || state === "fail");
      assert.deepEqual(judged, []);
      const reason = results.find((one) => one.check === "cluster-pods-privileged")?.reason ?? "";
      assert.match(reason, /cannot list resource "pods"/);
    });
  });

  describe("rights of the chart", () => {
    const log = createLogger("test");
    log.level = "silent";
    let server: Rights;
    let agent: Rights;
    /** Kubeconfigs of the accounts that have all of it. */
    let asServer: string;
    let asAgent: string;

    before(async () => {
      server = await chartRights("server");
      agent = await chartRights("agent");
      asServer = await createAccount(cluster, kube, "bulwark-server", server);
      asAgent = await createAccount(cluster, kube, "bulwark-agent", agent);
    });

    const isOf =
      (...wanted: string[]) =>
      ({ resources: own }: { resources: string[] }) =>
        own.some((it) => wanted.includes(it));
    const refused = (verb: string, resource: string): string => `cannot ${verb} resource "${resource}"`;

    async function serve(
      kubeconfig: string,
      clusters: object[] = [],
      more: object = {},
    ): Promise<Product & { client: Client }> {
      const serviceAccount = { name: `${namespace}/bulwark-agent`, configMap: `${namespace}/bulwark-authority` };
      const config = JSON.stringify({ server: { agents: { serviceAccount }, kubernetes: { clusters }, ...more } });
      const product = await startProduct({ command: "serve", config, env: { KUBECONFIG: kubeconfig } });
      return { ...product, client: await product.api() };
    }
    /** Waits until health says of a part what is asked for. */
    async function says(
      { client }: { client: Client },
      part: string,
      isSo: (told: { state: string; reason: string }) => boolean,
    ): Promise<void> {
      await eventually(
        part,
        async () => {
          const found = (await client.getHealth()).components.find(({ id }) => id === part);
          if (found && isSo(found)) return true;
          throw new Error(JSON.stringify(found));
        },
        60_000,
      );
    }
    /** The agent's way to the server, as a pod on the node joins. */
    async function sender(name: string, account: string, servers: string[]) {
      const boundObjectRef = { kind: "Pod", apiVersion: "v1", name: "agent" };
      const tokenFile = join(cluster.folder, "pod-token");
      writeFileSync(tokenFile, await tokenOf(kube, "bulwark-agent", { audiences: ["bulwark"], boundObjectRef }));
      const serviceAccount = { tokenFile, configMap: `${namespace}/bulwark-authority` };
      // As in a pod, its account is where the client looks for it by itself.
      process.env["KUBECONFIG"] = account;
      const token = ticketFrom({ serviceAccount } as Parameters<typeof ticketFrom>[0], async () => undefined);
      return startSender({ node: "node-1", servers, token, folder: join(cluster.folder, name) });
    }

    test("with all of them all is well; without a verb of a rule, the server says which it lacks", async () => {
      // This cluster has no policies of these kinds: whoever may not read them misses nothing.
      const absent = isOf("clusternetworkpolicies", "ciliumnetworkpolicies");
      const clusters = lacks(server).filter((lack) => !isOf("tokenreviews", "configmaps")(lack) && !absent(lack));
      const less = await Promise.all(
        clusters.map(async ({ rights }, index) => ({
          name: `less-${index}`,
          kubeconfig: await createAccount(cluster, kube, `server-less-${index}`, rights),
        })),
      );
      await using product = await serve(asServer, [{ name: "all", kubeconfig: asServer }, ...less]);
      await says(product, "service-accounts", ({ state }) => state === "ok");
      await says(product, "cluster:all", ({ state }) => state === "ok");
      for (const [index, { verb, resources: lost }] of clusters.entries()) {
        await says(
          product,
          `cluster:less-${index}`,
          ({ state, reason }) => state !== "ok" && lost.every((one) => reason.includes(refused(verb, one))),
        );
      }
    });

    test("without a right that joining takes, no node joins, and it is said where and why", async () => {
      const [reviews, publishing, ...others] = lacks(server).filter(isOf("tokenreviews", "configmaps"));
      assert.ok(reviews && publishing);
      assert.deepEqual([reviews.resources, publishing.resources, others], [["tokenreviews"], ["configmaps"], []]);
      {
        // As before its first start: nobody has said who it is.
        await kube.patch(resources.configMaps, "bulwark-authority", { data: null }, { namespace });
        await using product = await serve(await createAccount(cluster, kube, "server-mute", publishing.rights));
        await says(
          product,
          "service-accounts",
          ({ state, reason }) => state === "failed" && reason.includes(refused("patch", "configmaps")),
        );
        await using node = await sender("mute", asAgent, [product.agentsUrl]);
        await node.send(1);
        await eventually(
          "the node says so",
          () => /has not written yet who it is/.test(node.uplink.state.reason) || undefined,
          30_000,
        );
      }
      await using product = await serve(await createAccount(cluster, kube, "server-blind", reviews.rights));
      await says(product, "service-accounts", ({ state }) => state === "ok");
      await using node = await sender("blind", asAgent, [product.agentsUrl]);
      await node.send(1);
      await says(
        product,
        "service-accounts",
        ({ state, reason }) => state === "failed" && reason.includes(refused("create", "tokenreviews")),
      );
      assert.match(node.uplink.state.reason, /could not be asked whose token it is/);
    });

    test("the agent: with all rights it joins, and knows pods and their workloads; without one it says which", async () => {
      await using product = await serve(asServer);
      const parts = lacks(agent);
      const [joining, ...more] = parts.filter(isOf("configmaps"));
      assert.ok(joining);
      assert.deepEqual(more, []);
      {
        await using node = await sender("deaf", await createAccount(cluster, kube, "agent-deaf", joining.rights), [
          product.agentsUrl,
        ]);
        await node.send(1);
        await eventually(
          "it says so",
          () => node.uplink.state.reason.includes(refused("get", "configmaps")) || undefined,
          30_000,
        );
        assert.equal(node.uplink.state.state, "refused");
      }
      {
        await using node = await sender("node", asAgent, [product.agentsUrl]);
        await node.send(10);
        await eventually("all of it arrives", () => node.waiting() === 0 || undefined, 30_000);
      }
      // Another control plane in the place of the first, which nobody knows: the node joins it by itself.
      await using next = await serve(asServer);
      await using again = await sender("node", asAgent, [next.agentsUrl]);
      await again.send(10);
      await eventually("it has joined the new one", () => again.waiting() === 0 || undefined, 30_000);

      const book = (kubeconfig: string): PodBook =>
        new PodBook({ node: "node-1", connect: () => connect({ kubeconfig }), log, changed: () => undefined });
      await using whole = book(asAgent);
      await eventually("all is well", () => whole.health().state === "ok" || undefined, 30_000);
      for (const [index, { verb, resources: lost, rights }] of parts.filter((lack) => lack !== joining).entries()) {
        await using less = book(await createAccount(cluster, kube, `agent-less-${index}`, rights));
        await eventually(
          `it says that it may not ${verb} ${lost.join()}`,
          () => {
            const { state, reason } = less.health();
            if (state !== "ok" && lost.every((one) => reason.includes(refused(verb, one)))) return true;
            throw new Error(`${state}: ${reason}`);
          },
          30_000,
        );
      }
      assert.equal(whole.health().state, "ok", whole.health().reason);
    });

    describe("the webhook's", () => {
      const policy = "no-host-network";
      let webhook: Rights;
      let asWebhook: string;
      /** The server's account has both roles. */
      const both = (rights: Rights): Rights => ({ ...server, cluster: [...server.cluster, ...rights.cluster] });

      before(async () => {
        webhook = await chartRights("admission", "admission.enabled=true");
        asWebhook = await createAccount(cluster, kube, "webhook", both(webhook));
      });

      async function guarded(clusters: { name: string; kubeconfig: string }[]) {
        const address = hostAddress(cluster.network);
        const url = `https://${address}:${await freePort(address)}`;
        const admission = { address, port: Number(new URL(url).port), url, namespace };
        const product = await serve(asServer, clusters, { admission });
        const { policy: _, ...enforced } = policySetting.parse({ policy, mode: "enforce", failurePolicy: "Fail" });
        const set = async (body: typeof enforced | null): Promise<unknown> =>
          product.client.setPolicy({ params: { id: policy }, body });
        const [enforce, stop] = [async () => set(enforced), async () => set(null)];
        /** As the API server asks, of a namespace that nobody has heard of. */
        const ask = async (name: string): Promise<AdmissionResponse> => {
          const annotations = {
            "bulwark.dev/break-glass": "the shop is down",
            "bulwark.dev/break-glass-until": new Date(Date.now() + 60_000).toISOString(),
          };
          const metadata = { name: "web", namespace: "unheard-of", annotations };
          const spec = { hostNetwork: true, containers: [{ name: "web", image: "registry.test/web:1" }] };
          const request = { ...requestFor({ apiVersion: "v1", kind: "Pod", metadata, spec }), uid: "1" };
          return review(`${url}/validate/${name}/fail/0`, request);
        };
        return { ...product, enforce, stop, ask };
      }

      test("with all of them its policy is in force, and goes again; without a verb it is said which", async () => {
        const [make, ...others] = lacks(webhook).filter(isOf("validatingwebhookconfigurations")).toReversed();
        assert.ok(make);
        assert.deepEqual(
          [make.verb, ...others.map(({ verb }) => verb)],
          ["create", "delete", "patch", "get"],
          "each is shown below",
        );
        {
          const kubeconfig = await createAccount(cluster, kube, "webhook-less-create", both(make.rights));
          await using product = await guarded([{ name: "less-create", kubeconfig }]);
          await product.enforce();
          await says(
            product,
            "admission:less-create",
            ({ state, reason }) =>
              state === "failed" && reason.includes(refused("create", "validatingwebhookconfigurations")),
          );
        }
        const less = await Promise.all(
          lacks(webhook)
            .filter(({ verb, resources: [first] }) => verb !== "create" || first === "subjectaccessreviews")
            .map(async ({ verb, resources: [lost = ""], rights }) => {
              const name = `less-${verb}-${lost}`.slice(0, 60);
              const kubeconfig = await createAccount(cluster, kube, `webhook-${name}`, both(rights));
              return { name, kubeconfig, verb, lost };
            }),
        );
        await using product = await guarded([
          { name: "all", kubeconfig: asWebhook },
          ...less.map(({ name, kubeconfig }) => ({ name, kubeconfig })),
        ]);
        const missed = async (verb: string, lost: string): Promise<void> =>
          says(
            product,
            `admission:less-${verb}-${lost}`,
            ({ state, reason }) => state !== "ok" && reason.includes(refused(verb, lost)),
          );
        await product.enforce();
        await eventually("it is in force", async () => kube.get(resources.validatingWebhooks, "bulwark"), 60_000);
        for (const { verb, lost, name } of less) {
          const { allowed, status } = await product.ask(name);
          assert.equal(allowed, false);
          const isAsked = lost !== "subjectaccessreviews";
          assert.match(status?.message ?? "", isAsked ? /may not bypass/ : new RegExp(refused(verb, lost)));
          if (verb === "patch" || lost === "configmaps" || lost === "namespaces") await missed(verb, lost);
        }
        await product.stop();
        for (const verb of ["get", "delete"]) await missed(verb, "validatingwebhookconfigurations");
        await eventually(
          "it is gone",
          async () =>
            (await kube.list(resources.validatingWebhooks)).items.every(
              ({ metadata }) => metadata.name !== "bulwark",
            ) || undefined,
          60_000,
        );
        await says(product, "admission:all", ({ state }) => state === "ok");
      });
    });
  });

  describe("its audit log", { skip: missing("openssl") }, () => {
    auditLogTests({
      get cluster() {
        return cluster;
      },
      get kube() {
        return kube;
      },
    });
  });

  describe("the chart, where the server is elsewhere", { skip: missing("bpf", "clang") }, () => {
    const own = new AsyncDisposableStack();
    const release = "east";
    const parts = ["daemonset/east-bulwark-agent", "deployment/east-bulwark-collector"] as const;
    let product: Product;
    let api: Client;

    before(async () => {
      const address = hostAddress(cluster.network);
      const agents = { address, port: await freePort(address) };
      product = own.use(await startProduct({ command: "serve", config: JSON.stringify({ server: { agents } }) }));
      api = await product.api();
      pushImages(cluster);
      const token = run(bulwark, ["join", "--any", "--cluster", "east", "--data", product.data]).trim();
      cluster.kubectl("create", "namespace", release);
      cluster.kubectl("-n", release, "create", "secret", "generic", "bulwark-join", `--from-literal=token=${token}`);
      const values = {
        "image.registry": cluster.registry.name,
        "cluster.name": "east",
        "central.servers": `{https://${address}:${agents.port}}`,
        "central.joinTokenSecret": "bulwark-join",
      };
      const set = Object.entries(values).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
      cluster.helm("install", release, chart, "--namespace", release, ...set);
      for (const part of parts) rollout(cluster, release, part);
    });
    after(async () => {
      cluster.helm("uninstall", release, "--namespace", release, "--wait");
      await own.disposeAsync();
    });

    test("agents and collector join it: the cluster with its pods, and a shell in one of them", async () => {
      await agentsWatch(api, [{ name: "east/node-1" }]);
      await eventually(
        "the cluster is known",
        async () => {
          const row = (await api.listClusters()).items.find(({ name }) => name === "east");
          if (row?.state === "ok" && row.syncedAt !== null) return row;
          throw new Error(JSON.stringify(row));
        },
        60_000,
      );
      const { items } = await api.listKubeObjects({ query: { cluster: "east", selector: "app=web", limit: 10 } });
      const pod = podOf(cluster, namespace, "app=web");
      assert.ok(items.some(({ uid }) => uid === pod.uid));
      cluster.kubectl("exec", "-n", namespace, pod.name, "--", "sh", "-c", reverseShell);
      const alert = await eventually(
        "the alert is there",
        async () => {
          const told = await api.listAlerts({ query: { rule: "reverse-shell", limit: 100 } });
          return told.items.find(({ container }) => container?.pod?.uid === pod.uid);
        },
        60_000,
      );
      assert.equal(alert.node, "east/node-1");
      const { labels, owners = [] } = alert.container?.pod?.metadata ?? {};
      assert.equal(labels?.["app"], "web");
      assert.deepEqual(
        owners.map(({ kind }) => kind),
        ["ReplicaSet", "Deployment"],
      );
    });

    test("the collector says which right to its own secret it lacks", async () => {
      const { own: rules } = await chartRights(
        "collector",
        "central.servers={https://elsewhere:8444}",
        "central.joinTokenSecret=token",
        "cluster.name=east",
      );
      const [rule, ...others] = rules;
      assert.deepEqual([rule?.verbs, others], [["get", "patch"], []]);
      for (const verb of rule?.verbs ?? []) {
        const left = JSON.stringify([
          { op: "replace", path: "/rules/0/verbs", value: rule?.verbs.filter((it) => it !== verb) },
        ]);
        cluster.kubectl("-n", release, "patch", "role", "east-bulwark-collector", "--type=json", `--patch=${left}`);
        // As before its first start.
        cluster.kubectl("-n", release, "patch", "secret", "east-bulwark-collector", '--patch={"data":null}');
        cluster.kubectl("-n", release, "rollout", "restart", parts[1]);
        await eventually(
          `it may not ${verb}`,
          () => {
            const said = cluster.kubectl("-n", release, "logs", "-l", "app.kubernetes.io/component=collector");
            if (said.includes(`cannot ${verb} resource \\"secrets\\"`)) return true;
            throw new Error(said);
          },
          60_000,
        );
      }
    });
  });
});

/** What a webhook says to an API server. */
async function review(url: string, request: AdmissionRequest): Promise<AdmissionResponse> {
  const body = JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
  // Its authority is in the cluster's configuration, and not what is looked at here.
  const call = httpsRequest(url, { method: "POST", agent: false, rejectUnauthorized: false });
  call.setHeader("content-type", "application/json").end(body);
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  return ((await json(answer)) as { response: AdmissionResponse }).response;
}

function sleeper(): object {
  return {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "main", image: busyboxImage, command: ["sleep", "36000"] }],
  };
}
