/** The client of an API server, against a real one. */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { can, connect, exec, KubeError, readKubeconfig, resources, reviewToken, watch } from "@bulwark/kube";
import { eventually } from "@bulwark/testkit";
import { namespace, tokenOf, writeUser } from "./accounts.ts";
import type { ApiServer } from "./audit-log.ts";

/** Its remedy, status and reason are for people; who decides goes by its code. */
const failsWith = (code: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof KubeError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, text);
  return true;
};

export function clientTests(there: ApiServer): void {
  const map = resources.configMaps;

  test("applies on the server's side: each manager owns its fields, and is told who owns what it may not change", async () => {
    const of = (data: object): { metadata: { name: string; namespace: string }; data: object } => ({
      metadata: { name: "shared", namespace },
      data,
    });
    await there.kube.apply(map, of({ colour: "blue", size: "1" }), { fieldManager: "one" });
    await there.kube.apply(map, of({ shape: "round" }), { fieldManager: "two" });
    await assert.rejects(
      there.kube.apply(map, of({ colour: "red" }), { fieldManager: "two" }),
      failsWith("conflict", /"one".*colour/s),
    );
    await there.kube.apply(map, of({ colour: "red" }), { fieldManager: "two", force: true, dryRun: true });
    assert.deepEqual((await there.kube.get(map, "shared", { namespace }))["data"], {
      colour: "blue",
      size: "1",
      shape: "round",
    });
    await there.kube.apply(map, of({ colour: "red" }), { fieldManager: "two", force: true });
    // What a manager does not say any more goes; what another one owns stays.
    assert.deepEqual((await there.kube.get(map, "shared", { namespace }))["data"], { colour: "red", size: "1" });
    assert.equal(await there.kube.delete(map, "shared", { namespace }), true);
    assert.equal(await there.kube.delete(map, "shared", { namespace }), false);
  });

  test("runs a command in a container: both outputs, its input, its status, its bounds", async () => {
    const place = { namespace, pod: "agent" };
    const command = ["sh", "-c", "cat; echo sorry >&2; exit 7"];
    const result = await exec(there.kube, { ...place, container: "main", command, stdin: "said\n" });
    assert.deepEqual(result, { code: 7, stdout: "said\n", stderr: "sorry\n", truncated: false });
    const long = await exec(there.kube, { ...place, command: ["seq", "100000"], maxOutput: 1000 });
    assert.deepEqual([long.code, long.stdout.length, long.truncated], [0, 1000, true]);
    await assert.rejects(
      exec(there.kube, { ...place, command: ["sleep", "60"], timeout: 1000 }),
      failsWith("unreachable", /not done after 1 s/),
    );
    await assert.rejects(
      exec(there.kube, { ...place, pod: "nobody", command: ["true"] }),
      failsWith("not-found", /nobody/),
    );
    await assert.rejects(exec(there.kube, { ...place, command: ["/no/such"] }), failsWith("server", /no such file/));
  });

  test("evicts a pod as a drain does: a budget refuses, and says so; without it the pod goes", async () => {
    const budget = {
      apiVersion: "policy/v1",
      plural: "poddisruptionbudgets",
      kind: "PodDisruptionBudget",
      namespaced: true,
    };
    const spec = { minAvailable: 1, selector: { matchLabels: { app: "web" } } };
    await there.kube.create(budget, {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "web", namespace },
      spec,
    });
    await eventually(
      "the budget is counted",
      async () => {
        const { status } = (await there.kube.get(budget, "web", { namespace })) as {
          status?: { currentHealthy?: number };
        };
        return status?.currentHealthy === 1 || undefined;
      },
      30_000,
    );
    const [pod] = (await there.kube.list(resources.pods, { namespace, labelSelector: "app=web" })).items;
    assert.ok(pod);
    await assert.rejects(there.kube.evict(pod.metadata.name, namespace), failsWith("busy", /disruption budget/));
    await there.kube.delete(budget, "web", { namespace });
    await there.kube.evict(pod.metadata.name, namespace);
    await eventually(
      "it goes",
      async () => {
        const left = (await there.kube.list(resources.pods, { namespace, labelSelector: "app=web" })).items;
        return (
          left.every(({ metadata }) => metadata.uid !== pod.metadata.uid || metadata.deletionTimestamp) || undefined
        );
      },
      30_000,
    );
    await assert.rejects(there.kube.evict("nobody", namespace), failsWith("not-found", /nobody/));
  });

  test("asks who may do what, for others and for itself, and whose a token is", async () => {
    const view = {
      kind: "ClusterRoleBinding",
      apiVersion: "rbac.authorization.k8s.io/v1",
      metadata: { name: "viewers" },
    };
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" };
    const subjects = [{ kind: "Group", name: "viewers", apiGroup: "rbac.authorization.k8s.io" }];
    await there.kube.create(resources.clusterRoleBindings, { ...view, roleRef, subjects });
    const subject = { user: "ann", groups: ["viewers"] };
    const pods = { resource: "pods", namespace, subject };
    await eventually(
      "the binding is known",
      async () => (await can(there.kube, { verb: "list", ...pods })).allowed || undefined,
    );
    assert.match((await can(there.kube, { verb: "list", ...pods })).reason, /viewers/);
    assert.equal((await can(there.kube, { verb: "delete", ...pods })).allowed, false);
    assert.equal((await can(there.kube, { verb: "get", path: "/metrics", subject })).allowed, false);
    assert.equal((await can(there.kube, { verb: "get", path: "/metrics" })).allowed, true);
    assert.equal((await can(there.kube, { verb: "impersonate", resource: "users" })).allowed, true);

    const boundObjectRef = { kind: "Pod", apiVersion: "v1", name: "agent" };
    const token = await tokenOf(there.kube, "bulwark-agent", { audiences: ["bulwark"], boundObjectRef });
    const identity = await reviewToken(there.kube, token, ["bulwark"]);
    assert.equal(identity?.user, `system:serviceaccount:${namespace}:bulwark-agent`);
    assert.deepEqual(identity.extra["authentication.kubernetes.io/node-name"], ["node-1"]);
    assert.equal(await reviewToken(there.kube, token, ["vault"]), undefined);
    assert.equal(await reviewToken(there.kube, token), undefined, "for the API server itself it is nobody's");
    assert.equal(await reviewToken(there.kube, `${token.slice(0, -4)}AAAA`, ["bulwark"]), undefined);
  });

  test("is known by certificates in files, and by what a program gives: token or certificate, asked anew when refused", async () => {
    const { ca = "" } = readKubeconfig({ path: there.cluster.kubeconfig });
    const at = (file: string): string => join(there.cluster.folder, "pki", file);
    const write = (name: string, user: object): string => writeUser(at(name), there.cluster.server, ca, user);
    const who = async (kubeconfig: string): Promise<string> => {
      using client = connect({ kubeconfig });
      const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
      const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
      const answer = await client.transport.json({ method: "POST", path, body: review, what: "ask who we are" });
      return (answer as { status: { userInfo: { username: string } } }).status.userInfo.username;
    };
    // As people write it: relative to the file.
    assert.equal(await who(write("files", { "client-certificate": "admin.crt", "client-key": "admin.key" })), "admin");

    // The first token is refused, as one that ended early would be.
    const token = await tokenOf(there.kube, "bulwark-agent", {});
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
    for await (const { items } of there.kube.pages(resources.clusterRoles, { limit: 20 })) sizes.push(items.length);
    assert.ok(sizes.length > 2 && sizes.slice(0, -1).every((size) => size === 20), sizes.join());
    const { resources: found, failed } = await there.kube.discover();
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
    there.cluster.apply({
      ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
      metadata: { name: `things.${group}` },
      spec: { group, names: kind, scope: "Cluster", versions: [{ name: "v1", served: true, storage: true, schema }] },
    });
    const path = `/apis/${group}/v1/things`;
    await eventually("the new kind is served", async () => there.kube.read(path), 30_000);
    await eventually(
      "the old version is refused",
      async () => {
        // Until the store of the new kind is ready the API server says that it is busy.
        await assert.rejects(watch(there.kube, path, { resourceVersion: "1" }).next(), failsWith("gone", /watch/));
        return true;
      },
      30_000,
    );
  });
}
