import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readFiles } from "@bulwark/manifests";
import { callCommand } from "../call.fixture.ts";
import { rbacCommand } from "./rbac.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-rbac-"));
after(() => rmSync(folder, { recursive: true }));
const cluster = join(folder, "cluster.yaml");
writeFileSync(
  cluster,
  `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cluster-admin}
rules: [{verbs: ["*"], apiGroups: ["*"], resources: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployer, namespace: shop}
rules: [{verbs: [create], apiGroups: [apps], resources: [deployments]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: operator, namespace: shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployers, namespace: shop}
roleRef: {kind: Role, name: deployer}
subjects: [{kind: User, name: alice}]
`,
);

const call = (...args: string[]): ReturnType<typeof callCommand> => callCommand(rbacCommand, args);

test("what a collector has told a server is answered of, page by page; what it has not told as a whole is said", async () => {
  const { objects } = readFiles([cluster]);
  const asked: string[] = [];
  const server = createServer(({ url = "", headers }, response) => {
    const { pathname, searchParams } = new URL(url, "http://server");
    asked.push(`${headers.authorization} ${pathname}`);
    const all = objects.flatMap(({ object }) => (object["kind"] === searchParams.get("kind") ? [{ object }] : []));
    const told = searchParams.get("kind") === "Pod" ? [{ object: null }] : all;
    const at = Number(searchParams.get("cursor") ?? 0);
    const items = told.slice(at, at + 1).map((one) => ({ namespace: "shop", name: "x", ...one }));
    const next = at + 1 < told.length ? String(at + 1) : null;
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ items, next }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const token = join(folder, "token");
    writeFileSync(token, "secret\n");
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const words = ["create", "deployments.apps", "-n", "shop", "--told", "west", "--server", address];
    const { code, out, err } = await call("who-can", ...words, "--token-file", token);
    assert.deepEqual([code, err], [3, "pods: 1 of 1 were not told as whole objects\n"]);
    assert.equal(out, (await call("who-can", "create", "deployments.apps", "-n", "shop", cluster)).out);
    assert.deepEqual(new Set(asked), new Set(["Bearer secret /api/v1/clusters/west/whole-objects"]));
  } finally {
    server.close();
  }
});

test("who-can names the subject, the place and what gives it", async () => {
  const { code, out } = await call("who-can", "create", "deployments.apps", "-n", "shop", cluster);
  assert.equal(code, 0);
  assert.match(out, /User alice +in shop +RoleBinding shop\/deployers → Role deployer/);
  assert.match(out, /ServiceAccount shop\/operator +everywhere/);
  assert.match((await call("who-can", "get", "nodes", "-n", "bank", cluster)).out, /operator/);
});

test("paths tells each step with the object that allows it, and what closes them", async () => {
  const { code, out } = await call("paths", "user:alice", cluster);
  assert.equal(code, 1);
  assert.match(out, /1\. User alice → cluster-admin, 2 steps/);
  assert.match(out, /may create deployments in namespace shop, and so run a pod as service account shop\/operator/);
  assert.match(out, /RoleBinding shop\/deployers → Role deployer, rule 1/);
  assert.match(out, /Each of these closes every way: take away RoleBinding shop\/deployers/);
  const none = await call("paths", "user:bob", cluster);
  assert.deepEqual([none.code, none.out], [0, "No way from User bob to cluster-admin by any of these objects.\n"]);
});

test("dangers end with 1, a broken document with 3 and its line, the rest is answered", async () => {
  assert.equal((await call("dangers", cluster)).code, 1);
  const broken = join(folder, "broken.yaml");
  writeFileSync(broken, "kind: Role\n\tname: x\n---\nkind: Namespace\napiVersion: v1\nmetadata: {name: a}\n");
  const { code, out, err } = await call("who-can", "get", "pods", broken);
  assert.equal(code, 3);
  assert.match(out, /Nobody may get pods/);
  assert.match(err, /broken\.yaml:2: .*tabs/);
});

test("propose writes roles of what the log saw, and names what was never used", async () => {
  const log = join(folder, "audit.log");
  const event = {
    kind: "Event",
    auditID: "1",
    stage: "ResponseComplete",
    verb: "get",
    requestURI: "/api/v1/namespaces/shop/pods/web",
    user: { username: "alice", groups: [] },
    sourceIPs: [],
    objectRef: { resource: "pods", namespace: "shop", name: "web", apiVersion: "v1" },
    responseStatus: { code: 200 },
    stageTimestamp: "2026-01-01T00:00:00Z",
  };
  writeFileSync(log, `${JSON.stringify(event)}\nno event\n`);
  const { code, out, err } = await call("propose", "user:alice", "--audit", log, cluster);
  assert.equal(code, 3);
  assert.match(out, /kind: Role\nmetadata:\n {2}name: alice-least\n {2}namespace: shop\nrules:\n/);
  assert.match(err, /never used: rule 1 of deployer, given by deployers/);
  assert.match(err, /1 lines are no audit events/);
});

test("a wrong call says what and how to mend", async () => {
  for (const [args, message] of [
    [[], /nothing to do/],
    [["guess"], /no such thing to do: guess/],
    [["paths", "alice", cluster], /names nobody/],
    [["paths", "user:alice", "--to", "moon", cluster], /--to moon/],
    [["who-can", "get"], /needs more words/],
    [["dangers"], /needs a FILE/],
    [["dangers", join(folder, "none.yaml")], /no Kubernetes object could be read/],
  ] as const) {
    await assert.rejects(call(...args), message);
  }
});
