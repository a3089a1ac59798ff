import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventually, missing } from "@bulwark/testkit";
import { fakeDocker, inspectedContainer, nowhere, serve, temporaryFolder } from "./fake-runtime.fixture.ts";
import { openContainers } from "./open.ts";
import type { ContainerRegistry } from "./registry.ts";

const [one, two] = ["1".repeat(64), "2".repeat(64)];
const noPid = 4_194_000;

function stateOf(registry: ContainerRegistry, kind: string): string | undefined {
  return registry.health().find(({ id }) => id === `runtime:${kind}`)?.state;
}

test("a runtime that never answers is said to, and holds up nobody", async () => {
  using folder = temporaryFolder();
  const [hung, sound] = [join(folder.path, "hung.sock"), join(folder.path, "sound.sock")];
  await using _ = await serve(hung, () => undefined);
  await using api = await fakeDocker(sound);
  api.containers.set(one, inspectedContainer(one, noPid));
  const start = performance.now();
  await using registry = await openContainers({
    node: "here",
    paths: { ...nowhere, docker: [hung], podman: [sound], containerd: [hung], "cri-o": [hung] },
  });
  assert.ok(performance.now() - start < 5600);
  assert.equal(registry.byId(one)?.runtime, "podman");

  const told: string[] = [];
  registry.on("stopped", ({ id }) => told.push(id));
  api.containers.delete(one);
  api.event("died", one);
  await eventually("the stop is seen meanwhile", () => (told.includes(one) ? true : undefined), 2000);
  for (const kind of ["docker", "containerd", "cri-o"]) {
    await eventually(`${kind} is said to hang`, () => (stateOf(registry, kind) === "failed" ? true : undefined));
    const health = registry.health().find(({ id }) => id === `runtime:${kind}`);
    assert.match(health?.reason ?? "", /hung\.sock/);
    assert.notEqual(health?.remedy, "");
  }
  assert.equal(stateOf(registry, "podman"), "ok");
});

for (const [what, answer] of [
  ["no JSON", "<html>"],
  ["other JSON", '{"containers":[]}'],
  ["an answer without end", "x".repeat(17 * 1024 * 1024)],
  ["too many containers to read", JSON.stringify(Array.from({ length: 60_000 }, (_, Id) => ({ Id: String(Id) })))],
] as const) {
  test(`a runtime that answers with ${what} is failed, and asked again`, async () => {
    using folder = temporaryFolder();
    const socket = join(folder.path, "api.sock");
    let times = 0;
    await using _ = await serve(socket, (request, response) => {
      if (request.url?.startsWith("/events")) {
        response.flushHeaders();
      } else {
        times++;
        response.end(answer);
      }
    });
    await using registry = await openContainers({ node: "here", paths: { ...nowhere, docker: [socket] } });
    assert.equal(stateOf(registry, "docker"), "failed");
    assert.deepEqual(registry.containers(), []);
    await eventually("it is asked again", () => (times > 1 ? true : undefined), 5000);
  });
}

test("a runtime that ends its events at once is asked with growing pauses, not in a loop", async () => {
  using folder = temporaryFolder();
  const socket = join(folder.path, "api.sock");
  let times = 0;
  await using _ = await serve(socket, (request, response) => {
    if (request.url?.startsWith("/events")) times++;
    response.end("[]");
  });
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, docker: [socket] } });
  await new Promise((resolve) => setTimeout(resolve, 3500));
  assert.ok(times >= 2 && times <= 5, String(times));
  assert.equal(stateOf(registry, "docker"), "failed");
});

test("a runtime that comes later is taken up; one that goes away is said; one that comes back is well", async () => {
  using folder = temporaryFolder();
  const socket = join(folder.path, "api.sock");
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, docker: [socket] } });
  assert.equal(registry.health()[0]?.id, "runtime");
  for (let round = 0; round < 2; round++) {
    const api = await fakeDocker(socket);
    api.containers.set(one, inspectedContainer(one, process.pid));
    await eventually("it is found", () => (registry.byId(one)?.state === "running" ? true : undefined), 2000);
    await eventually("it is well", () => (stateOf(registry, "docker") === "ok" ? true : undefined), 2000);
    await api[Symbol.asyncDispose]();
    await eventually("its end is said", () => (stateOf(registry, "docker") === "failed" ? true : undefined), 2000);
    // Its process, this one, lives.
    assert.equal(registry.byId(one)?.state, "running");
  }
});

test("a container of a process that is nobody's own cgroup is not taken for all that shares it", async () => {
  using folder = temporaryFolder();
  const socket = join(folder.path, "api.sock");
  await using api = await fakeDocker(socket);
  // This process shares its cgroups with the one that started it, as a container without cgroups of its own does.
  api.containers.set(one, inspectedContainer(one, process.pid));
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, docker: [socket] } });
  const own = spawnSync("cat", ["/proc/self/cgroup"], { encoding: "utf8" }).stdout;
  const paths = own.split("\n").map((line) => line.split(":").slice(2).join(":"));
  assert.equal(registry.byId(one)?.state, "running");
  assert.equal(registry.byCgroup(paths), undefined);
});

test(
  "what a user without privilege keeps cannot speak for a process of the host",
  { skip: missing("root") },
  async () => {
    using folder = temporaryFolder();
    const root = join(folder.path, "runc");
    mkdirSync(join(root, "fake"), { recursive: true });
    const state = { id: "fake", init_process_pid: process.pid, created: "", config: { rootfs: "/", labels: [] } };
    writeFileSync(join(root, "fake/state.json"), JSON.stringify(state));
    const paths = { ...nowhere, runc: [root] };
    {
      await using registry = await openContainers({ node: "here", paths });
      assert.equal(registry.byId("fake")?.pid, process.pid, "as root's it is believed");
    }
    spawnSync("chown", ["-R", "65534", root]);
    await using registry = await openContainers({ node: "here", paths });
    assert.equal(registry.byId("fake"), undefined);
  },
);

test("a container is never first runc's and then Docker's; one that Docker keeps silent about is runc's", async () => {
  using folder = temporaryFolder();
  const [socket, root] = [join(folder.path, "api.sock"), join(folder.path, "runc")];
  mkdirSync(root);
  await using api = await fakeDocker(socket);
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, docker: [socket], runc: [root] } });
  const told: string[] = [];
  for (const event of ["started", "changed", "stopped"] as const)
    registry.on(event, ({ id, runtime }) => told.push(`${event} ${id.slice(0, 1)} of ${runtime}`));

  for (const id of [one, two]) {
    mkdirSync(join(root, id), { recursive: true });
    const labels = [`bundle=/run/containerd/io.containerd.runtime.v2.task/moby/${id}`];
    const cgroups = { memory: `/sys/fs/cgroup/memory/${id}` };
    const state = { id, init_process_pid: process.pid, cgroup_paths: cgroups, config: { rootfs: "/x", labels } };
    writeFileSync(join(root, id, "state.json"), JSON.stringify(state));
  }
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(told.length, 0, told.join());
  api.containers.set(one, inspectedContainer(one, process.pid));
  api.event("start", one);
  await eventually("Docker's", () => (told.includes("started 1 of docker") ? true : undefined), 2000);
  await eventually("runc's", () => (told.includes("started 2 of runc") ? true : undefined), 5000);
  assert.deepEqual(told, ["started 1 of docker", "started 2 of runc"]);

  // runc's telling of one that was seen to begin outlives Docker's.
  rmSync(join(root, one), { recursive: true });
  await registry.refresh();
  api.containers.delete(one);
  api.event("destroy", one);
  await eventually("its end is told", () => (told.length > 2 ? true : undefined), 2000);
  await registry.refresh();
  assert.deepEqual(told.slice(2), ["stopped 1 of docker"]);
  assert.equal(registry.byId(one)?.runtime, "docker");
});

test("a socket that this user may not open is off, and says how to mend it", { skip: missing("root") }, async () => {
  using folder = temporaryFolder();
  chmodSync(folder.path, 0o755);
  const socket = join(folder.path, "api.sock");
  await using _ = await fakeDocker(socket);
  chmodSync(socket, 0o600);
  process.seteuid?.(65_534);
  try {
    await using registry = await openContainers({ node: "here", paths: { ...nowhere, docker: [socket] } });
    const [health] = registry.health();
    assert.equal(health?.state, "off");
    assert.match(health.reason, /permission denied/);
    assert.match(health.remedy, /root/);
  } finally {
    process.seteuid?.(0);
  }
});
