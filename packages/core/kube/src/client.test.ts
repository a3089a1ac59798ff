import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fakeKubernetes } from "@bulwark/testkit";
import { connect, inCluster, KubeError, ownerChain, readKubeconfig, resources } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-kube-"));
after(() => rmSync(folder, { recursive: true }));

function kubeconfig(user: object, server = "https://127.0.0.1:1"): string {
  const path = join(folder, `config-${Math.random()}`);
  writeFileSync(
    path,
    JSON.stringify({
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "k", user: "u", namespace: "shop" } }],
      clusters: [{ name: "k", cluster: { server } }],
      users: [{ name: "u", user }],
    }),
  );
  return path;
}

describe("objects", () => {
  test("are created, read, changed, listed and deleted", async () => {
    await using server = await fakeKubernetes();
    const kube = connect({ access: server.access });
    const object = { metadata: { name: "a", namespace: "shop" }, data: { x: "1" } };
    const made = await kube.create(resources.configMaps, object);
    assert.ok(made.metadata.uid);
    await assert.rejects(kube.create(resources.configMaps, object), (error) => is(error, "exists"));
    await kube.patch(resources.configMaps, "a", { data: { x: "2" } }, { namespace: "shop" });
    const read = await kube.get(resources.configMaps, "a", { namespace: "shop" });
    assert.deepEqual(read["data"], { x: "2" });
    assert.equal((await kube.list(resources.configMaps)).items.length, 1);
    assert.equal(await kube.delete(resources.configMaps, "a", { namespace: "shop" }), true);
    await assert.rejects(kube.get(resources.configMaps, "a", { namespace: "shop" }), (error) => is(error, "not-found"));
    kube.close();
  });

  test("a list whose pages are let go of begins again", async () => {
    await using server = await fakeKubernetes();
    for (let index = 0; index < 30; index++) {
      const metadata = { name: `p${index}`, namespace: "shop", uid: `uid-${index}` };
      server.put("/api/v1/pods", { apiVersion: "v1", kind: "Pod", metadata });
    }
    const kube = connect({ access: server.access });
    let pages = 0;
    await assert.rejects(
      async () => {
        for await (const page of kube.pages(resources.pods, { limit: 10 })) {
          pages += page.items.length / 10;
          server.compact();
        }
      },
      (error) => is(error, "gone"),
    );
    assert.equal(pages, 1);
    assert.equal((await kube.list(resources.pods, { limit: 10 })).items.length, 30);
    kube.close();
  });

  test("errors say what was asked, what the server said and what to do", async () => {
    await using server = await fakeKubernetes();
    const kube = connect({ access: server.access });
    server.refuse(429, 1, { "retry-after": "7" });
    await assert.rejects(kube.list(resources.pods, { namespace: "shop" }), (error) => {
      assert.ok(error instanceof KubeError);
      assert.equal(error.message, "list pods in shop: refused by the test");
      return error.code === "busy" && error.retryAfter === 7000;
    });
    server.away();
    await assert.rejects(kube.list(resources.pods), (error) => is(error, "unreachable"));
    kube.close();
  });
});

function is(error: unknown, code: KubeError["code"]): boolean {
  assert.ok(error instanceof KubeError, String(error));
  assert.equal(error.code, code, error.message);
  return true;
}

describe("credentials", () => {
  test("a pod's token is read again when it is rotated", async () => {
    writeFileSync(join(folder, "token"), "one\n");
    writeFileSync(join(folder, "ca.crt"), "PEM");
    writeFileSync(join(folder, "namespace"), "shop");
    const access = inCluster(folder, { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" });
    assert.equal(access?.server, "https://[fd00::1]:6443");
    assert.equal(access.namespace, "shop");
    assert.deepEqual(await access.token(), { token: "one" });
    writeFileSync(join(folder, "token"), "two\n");
    utimesSync(join(folder, "token"), new Date(), new Date(Date.now() + 5000));
    assert.deepEqual(await access.token(), { token: "two" });
    assert.equal(inCluster(folder, {}), undefined);
  });

  test("a credential program is asked, and again once what it gave has ended", async () => {
    const program = join(folder, "plugin");
    const count = join(folder, "count");
    writeFileSync(count, "");
    const answer = `{"status":{"token":"t'$(wc -c <${count})'","expirationTimestamp":"'$UNTIL'"}}`;
    writeFileSync(
      program,
      `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" | grep -q v1 || exit 1\nprintf x >>${count}\necho '${answer}'\n`,
    );
    chmodSync(program, 0o755);
    const user = (until: string): object => ({
      exec: { apiVersion: "client.authentication.k8s.io/v1", command: program, env: [{ name: "UNTIL", value: until }] },
    });
    const lasting = readKubeconfig({ path: kubeconfig(user("2999-01-01T00:00:00Z")) });
    assert.deepEqual(await Promise.all([lasting.token(), lasting.token()]), [{ token: "t1" }, { token: "t1" }]);
    assert.deepEqual(await lasting.token(), { token: "t1" });
    assert.deepEqual(await lasting.token(true), { token: "t2" });
    const ended = readKubeconfig({ path: kubeconfig(user("2000-01-01T00:00:00Z")) });
    assert.deepEqual(await ended.token(), { token: "t3" });
    assert.deepEqual(await ended.token(), { token: "t4" });
  });

  test("a kubeconfig that is wrong says which part", async () => {
    assert.throws(() => readKubeconfig({ path: join(folder, "missing") }), /missing: it cannot be read/);
    assert.throws(() => readKubeconfig({ path: kubeconfig({}), context: "other" }), /no context "other"; there are c/);
    const failing = readKubeconfig({ path: kubeconfig({ exec: { apiVersion: "x", command: "/bin/false" } }) });
    await assert.rejects(failing.token(), /the credential program \/bin\/false failed/);
    const user = { "client-certificate": "nowhere.pem" };
    assert.throws(() => readKubeconfig({ path: kubeconfig(user) }), /nowhere.pem cannot be read/);
  });

  test("after a refusal the token is asked for once more", async () => {
    const tokens: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      tokens.push(request.headers.authorization);
      response.writeHead(request.headers.authorization === "Bearer new" ? 200 : 401).end("{}");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const token = (renew?: boolean): Promise<{ token: string }> =>
      Promise.resolve({ token: renew === true ? "new" : "old" });
    const kube = connect({ access: { server: url, namespace: "default", token } });
    await kube.get(resources.pods, "a");
    assert.deepEqual(tokens, ["Bearer old", "Bearer new"]);
    kube.close();
    server.closeAllConnections();
    server.close();
  });
});

test("a connection that the server has closed meanwhile is no failure of a question that only reads", async () => {
  let connections = 0;
  const answered = new WeakSet<object>();
  const server = createServer((request, response) => {
    // Of each connection only the first request is answered.
    if (answered.has(request.socket)) return void request.socket.destroy();
    answered.add(request.socket);
    connections++;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ kind: "PodList", metadata: {}, items: [] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  using kube = connect({
    access: { server: `http://127.0.0.1:${port}`, namespace: "default", token: async () => undefined },
  });
  try {
    for (let index = 0; index < 3; index++) assert.deepEqual((await kube.list(resources.pods)).items, []);
    assert.equal(connections, 3);
    const made = kube.create(resources.pods, { metadata: { name: "a", namespace: "b" } });
    await assert.rejects(made, /does not answer/, "what changes something is not done twice");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("the chain of owners ends where nothing is known, and at a circle", () => {
  const owner = (kind: string, uid: string): object => ({
    apiVersion: "apps/v1",
    kind,
    name: kind,
    uid,
    controller: true,
  });
  const known: Record<string, object> = {
    rs: { metadata: { ownerReferences: [owner("Deployment", "d")] } },
    d: { metadata: { ownerReferences: [owner("ReplicaSet", "rs")] } },
  };
  const pod = { metadata: { ownerReferences: [owner("ReplicaSet", "rs")] } } as never;
  const find = (uid: string): never => known[uid] as never;
  assert.deepEqual(
    ownerChain(pod, find).map(({ kind }) => kind),
    ["ReplicaSet", "Deployment"],
  );
});
