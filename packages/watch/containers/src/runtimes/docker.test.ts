import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { container as schema } from "@bulwark/model";
import { eventually } from "@bulwark/testkit";
import { fakeDocker, inspectedContainer, nowhere, temporaryFolder } from "../fake-runtime.fixture.ts";
import { openContainers } from "../open.ts";
import type { RuntimePaths } from "./index.ts";

const [one, two] = ["1".repeat(64), "2".repeat(64)];
/** Of no process, so that nothing of this machine is mixed in. */
const noPid = 4_194_000;

for (const kind of ["docker", "podman"] as const) {
  const at = (socket: string): RuntimePaths => ({ ...nowhere, [kind]: [socket] });

  test(`${kind}: a container is told as its API tells it`, async () => {
    using folder = temporaryFolder();
    const socket = join(folder.path, "api.sock");
    await using api = await fakeDocker(socket);
    api.containers.set(one, inspectedContainer(one, noPid));
    await using registry = await openContainers({ node: "here", paths: at(socket) });
    const seen = registry.byId(one);
    assert.deepEqual(schema.parse(seen), {
      id: one,
      node: "here",
      runtime: kind,
      runtimeNamespace: "",
      name: "web",
      image: { name: "registry.example/web:1", digest: `sha256:${"5".repeat(64)}` },
      labels: { team: "blue" },
      pod: null,
      state: "running",
      startedAt: Date.UTC(2026, 0, 2, 3, 4, 6, 500),
      finishedAt: null,
      pid: noPid,
      rootfs: "/var/lib/docker/overlay2/x/merged",
      mounts: [{ source: "/srv", target: "/data", type: "bind", readOnly: true }],
      capabilities: seen?.capabilities,
      privileged: false,
      hostNamespaces: [],
    });
    assert.equal(seen?.capabilities.length, 14);
    assert.equal(registry.byCgroup([`/system.slice/docker-${one}.scope/init`])?.id, one);
    assert.deepEqual(
      registry.health().map(({ id, state }) => [id, state]),
      [[`runtime:${kind}`, "ok"]],
    );
  });
}

test("docker: privileges, capabilities and namespaces of the host", async () => {
  using folder = temporaryFolder();
  const socket = join(folder.path, "api.sock");
  await using api = await fakeDocker(socket);
  api.containers.set(one, inspectedContainer(one, noPid, { Privileged: true, PidMode: "host", NetworkMode: "host" }));
  api.containers.set(two, inspectedContainer(two, noPid, { CapDrop: ["ALL"], CapAdd: ["net_admin", "CAP_BPF"] }));
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, docker: [socket] } });
  assert.equal(registry.byId(one)?.privileged, true);
  assert.deepEqual(registry.byId(one)?.hostNamespaces, ["pid", "net"]);
  assert.equal(registry.byId(one)?.capabilities.length, 41);
  assert.deepEqual(registry.byId(two)?.capabilities, ["CAP_NET_ADMIN", "CAP_BPF"]);
});

test("docker: events bring changes at once, and commands run inside cost nothing", async () => {
  using folder = temporaryFolder();
  const socket = join(folder.path, "api.sock");
  await using api = await fakeDocker(socket);
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, docker: [socket] } });
  const told: string[] = [];
  for (const event of ["started", "stopped", "changed"] as const)
    registry.on(event, ({ name }) => told.push(`${event} ${name}`));

  api.containers.set(one, inspectedContainer(one, noPid));
  api.event("start", one);
  await eventually("the start", () => (told.includes("started web") ? true : undefined), 2000);
  api.containers.set(one, { ...inspectedContainer(one, noPid), Name: "/shop" });
  api.event("rename", one);
  await eventually("the new name", () => (told.includes("changed shop") ? true : undefined), 2000);
  api.containers.set(one, { ...inspectedContainer(one, noPid - 1), Name: "/shop" });
  api.event("restart", one);
  await eventually("the restart", () => (told.includes("started shop") ? true : undefined), 2000);
  assert.deepEqual(told.slice(2), ["stopped shop", "started shop"]);

  // The looks that follow the opening.
  await new Promise((resolve) => setTimeout(resolve, 1700));
  const before = api.asked.length;
  for (let n = 0; n < 500; n++) api.event(`exec_start: health-${n}`, one);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(api.asked.length, before);
  api.containers.delete(one);
  api.event("die", one);
  await eventually("the stop", () => (told.at(-1) === "stopped shop" ? true : undefined), 2000);
});

test("docker: a container that holds a pod open is left out, one of the pod names it", async () => {
  using folder = temporaryFolder();
  const socket = join(folder.path, "api.sock");
  await using api = await fakeDocker(socket);
  const pod = {
    "io.kubernetes.pod.name": "shop-1",
    "io.kubernetes.pod.namespace": "shop",
    "io.kubernetes.pod.uid": "u",
  };
  api.containers.set(one, inspectedContainer(one, noPid, {}, { ...pod, "io.kubernetes.docker.type": "podsandbox" }));
  api.containers.set(two, inspectedContainer(two, noPid, {}, { ...pod, "io.kubernetes.container.name": "web" }));
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, docker: [socket] } });
  assert.deepEqual(
    registry.containers().map(({ pod: seen }) => seen),
    [{ name: "shop-1", namespace: "shop", uid: "u", container: "web" }],
  );
});

for (const kind of ["docker", "podman"] as const) {
  test(`${kind}: what is ordered is asked of its API, and refused in its words`, async () => {
    using folder = temporaryFolder();
    const socket = join(folder.path, "api.sock");
    await using api = await fakeDocker(socket);
    api.containers.set(one, inspectedContainer(one, noPid));
    await using registry = await openContainers({ node: "here", paths: { ...nowhere, [kind]: [socket] } });
    const seen = registry.byId(one);
    assert.ok(seen);
    for (const order of ["pause", "resume", "stop"] as const) await registry.control(seen, order);
    const orders = api.asked.filter((path) => !path.endsWith("json"));
    assert.deepEqual(orders, [`/containers/${one}/pause`, `/containers/${one}/unpause`, `/containers/${one}/stop`]);
    api.containers.delete(one);
    await assert.rejects(registry.control(seen, "pause"), /No such container|not tell of the container/);
  });
}
