import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { container as containerSchema, type Container } from "@bulwark/model";
import { eventually, missing, runWithRunc, startContainerd } from "@bulwark/testkit";
import { cgroupPaths } from "./cgroups.ts";
import { openContainerdContent } from "./content.ts";
import { RuntimeError } from "./error.ts";
import { openContainers } from "./open.ts";
import type { ContainerRegistry } from "./registry.ts";
import type { RuntimePaths } from "./runtimes/index.ts";

const nowhere: RuntimePaths = { containerd: [], docker: [], "cri-o": [], podman: [], runc: [], crun: [] };
const skip = missing("root", "containerd", "runc", "busybox");

async function cgroupsOf(pid: number): Promise<string[]> {
  return [...(await cgroupPaths(pid)).values()];
}

/** Everything that the registry tells, as `started c-1`. */
function listen(registry: ContainerRegistry): string[] {
  const told: string[] = [];
  for (const event of ["started", "stopped", "changed"] as const)
    registry.on(event, ({ id, state }) => told.push(`${event} ${id} ${state}`));
  return told;
}

async function soon(t: TestContext, told: string[], what: string): Promise<void> {
  const start = performance.now();
  await eventually(what, () => (told.includes(what) ? true : undefined), 2000);
  t.diagnostic(`${what} after ${Math.round(performance.now() - start)} ms`);
}

test("containers of containerd come and go within two seconds, with what they are", { skip }, async (t) => {
  await using containerd = await startContainerd();
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, containerd: [containerd.socket] } });
  const told = listen(registry);

  const plain = containerd.run({
    labels: { team: "blue" },
    mounts: [{ source: "/tmp", target: "/mnt", readOnly: true }],
  });
  await soon(t, told, `started ${plain.id} running`);
  const seen = registry.byId(plain.id);
  assert.ok(seen);
  assert.deepEqual(seen.image, containerd.image);
  assert.equal(seen.labels["team"], "blue");
  assert.equal(seen.pid, plain.pid);
  assert.equal(seen.state, "running");
  assert.equal(seen.runtimeNamespace, containerd.namespace);
  assert.equal(seen.privileged, false);
  assert.deepEqual(seen.hostNamespaces, []);
  assert.ok(seen.capabilities.includes("CAP_CHOWN"));
  assert.ok(!seen.capabilities.includes("CAP_SYS_ADMIN"));
  assert.ok(seen.mounts.some(({ target, source, readOnly }) => target === "/mnt" && source === "/tmp" && readOnly));
  assert.ok(Math.abs((seen.startedAt ?? 0) - Date.now()) < 3000);
  assert.ok(seen.rootfs?.endsWith(`/${containerd.namespace}/${plain.id}/rootfs`), String(seen.rootfs));
  containerSchema.parse(seen);

  const strong = containerd.run({ privileged: true, hostNetwork: true });
  await soon(t, told, `started ${strong.id} running`);
  assert.equal(registry.byId(strong.id)?.privileged, true);
  assert.deepEqual(registry.byId(strong.id)?.hostNamespaces, ["net"]);
  assert.ok(registry.byId(strong.id)?.capabilities.includes("CAP_SYS_ADMIN"));

  containerd.ctr("task", "pause", plain.id);
  await soon(t, told, `changed ${plain.id} paused`);
  containerd.ctr("task", "resume", plain.id);
  await soon(t, told, `changed ${plain.id} running`);

  plain.stop();
  await soon(t, told, `stopped ${plain.id} stopped`);
  assert.ok(Math.abs((registry.byId(plain.id)?.finishedAt ?? 0) - Date.now()) < 3000);
  assert.equal(registry.health()[0]?.state, "ok");
});

test(
  "a cgroup leads to its container, also from inside it and after its end, and nothing else does",
  { skip },
  async (t) => {
    await using containerd = await startContainerd();
    await using registry = await openContainers({
      node: "here",
      paths: { ...nowhere, containerd: [containerd.socket] },
    });
    const told = listen(registry);
    const container = containerd.run();
    await soon(t, told, `started ${container.id} running`);

    const paths = await cgroupsOf(container.pid);
    assert.ok(paths.some((path) => path.endsWith(container.id)));
    for (const path of paths) assert.equal(registry.byCgroup([path])?.id, container.id, path);
    assert.equal(registry.byCgroup(paths.map((path) => `${path}/inner/most`))?.id, container.id);
    assert.equal(registry.byCgroup(paths.map((path) => path.slice(0, path.lastIndexOf("/")))), undefined);
    assert.equal(registry.byCgroup(paths.map((path) => `${path}x`)), undefined);
    assert.equal(registry.byCgroup(["/"]), undefined);
    assert.equal(registry.byCgroup(await cgroupsOf(process.pid)), undefined);

    container.stop();
    await soon(t, told, `stopped ${container.id} stopped`);
    assert.equal(registry.byCgroup(paths)?.id, container.id);
  },
);

test("the digest stays that of the image that runs when its name leads to another one", { skip }, async (t) => {
  await using containerd = await startContainerd();
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, containerd: [containerd.socket] } });
  const told = listen(registry);
  const { name, digest } = containerd.image;
  const old = containerd.run();
  await soon(t, told, `started ${old.id} running`);
  await using other = runWithRunc();
  writeFileSync(join(other.rootfs, "etc/other"), "another image");
  const next = containerd.importImage(name, other.rootfs);
  assert.notEqual(next.digest, digest);

  containerd.ctr("container", "label", old.id, "after=update");
  await eventually("the label is seen", () => (registry.byId(old.id)?.labels["after"] ? true : undefined), 2000);
  assert.equal(registry.byId(old.id)?.image.digest, digest);
  const young = containerd.run();
  await soon(t, told, `started ${young.id} running`);
  assert.equal(registry.byId(young.id)?.image.digest, next.digest);
});

test("two namespaces of containerd may use one id", { skip }, async () => {
  await using containerd = await startContainerd();
  const first = containerd.run({ id: "web" });
  containerd.ctr("--namespace", "second", "images", "import", "--no-unpack", exported(containerd));
  containerd.ctr("--namespace", "second", "run", "-d", "--null-io", containerd.image.name, "web", "sleep", "3600");
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, containerd: [containerd.socket] } });
  const found = registry.containers().map(({ id, runtimeNamespace }) => `${runtimeNamespace}/${id}`);
  assert.deepEqual(found.toSorted(), ["second/web", `${containerd.namespace}/web`].toSorted());
  assert.equal(registry.byCgroup(await cgroupsOf(first.pid))?.pid, first.pid);
});

function exported(containerd: { ctr(...args: string[]): string; socket: string; image: { name: string } }): string {
  const file = containerd.socket.replace("containerd.sock", "exported.tar");
  containerd.ctr("images", "export", file, containerd.image.name);
  return file;
}

test("containerd goes away and comes back: its containers run on, and new ones are seen", { skip }, async (t) => {
  await using containerd = await startContainerd();
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, containerd: [containerd.socket] } });
  const told = listen(registry);
  const [stays, ends] = [containerd.run(), containerd.run()];
  await soon(t, told, `started ${stays.id} running`);
  await soon(t, told, `started ${ends.id} running`);

  await containerd.down();
  await eventually("the loss is said", () => (registry.health()[0]?.state === "failed" ? true : undefined), 2000);
  assert.notEqual(registry.health()[0]?.reason, "");
  assert.notEqual(registry.health()[0]?.remedy, "");
  process.kill(ends.pid, "SIGKILL");
  await eventually("the end is seen without containerd", async () => {
    await registry.refresh();
    return registry.byId(ends.id)?.state === "stopped" ? true : undefined;
  });
  assert.equal(registry.byId(stays.id)?.state, "running");

  await containerd.up();
  await eventually("it is well again", () => (registry.health()[0]?.state === "ok" ? true : undefined), 2000);
  const young = containerd.run();
  await soon(t, told, `started ${young.id} running`);
  assert.ok(!told.includes(`stopped ${stays.id} stopped`));
  assert.equal(told.filter((what) => what === `started ${stays.id} running`).length, 1);
});

test("blobs of an image come out of containerd's store as they went in", { skip }, async () => {
  await using containerd = await startContainerd();
  await using content = openContainerdContent(containerd.socket, containerd.namespace);
  const read = async (digest: string): Promise<Buffer> => {
    const parts: Uint8Array[] = [];
    for await (const part of await content.readBlob(digest)) parts.push(part);
    const data = Buffer.concat(parts);
    assert.equal(`sha256:${createHash("sha256").update(data).digest("hex")}`, digest);
    return data;
  };
  const manifest = JSON.parse((await read(containerd.image.digest)).toString()) as {
    config: { digest: string };
    layers: { digest: string; size: number }[];
  };
  await read(manifest.config.digest);
  const [layer] = manifest.layers;
  assert.equal((await read(layer?.digest ?? "")).length, layer?.size);
  await assert.rejects(
    content.readBlob(`sha256:${"0".repeat(64)}`),
    (error) => error instanceof RuntimeError && error.code === "absent",
  );
});

test("containers of bare runc come and go within two seconds, with what they are", { skip }, async (t) => {
  await using first = runWithRunc({ annotations: { team: "red" } });
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, runc: [first.root] } });
  const told = listen(registry);
  const seen = registry.byId(first.id);
  assert.ok(seen);
  assert.equal(seen.runtime, "runc");
  assert.equal(seen.rootfs, first.rootfs);
  assert.equal(seen.pid, first.pid);
  assert.equal(seen.labels["team"], "red");
  assert.equal(seen.privileged, false);
  assert.deepEqual(seen.hostNamespaces, []);
  containerSchema.parse(seen);
  assert.equal(registry.byCgroup(await cgroupsOf(first.pid))?.id, first.id);

  const second = runWithRunc({ root: first.root, privileged: true, hostNamespaces: ["pid", "network", "ipc"] });
  try {
    await soon(t, told, `started ${second.id} running`);
    assert.equal(registry.byId(second.id)?.privileged, true);
    assert.deepEqual(registry.byId(second.id)?.hostNamespaces, ["pid", "net", "ipc"]);
  } finally {
    await second[Symbol.asyncDispose]();
  }
  await soon(t, told, `stopped ${second.id} stopped`);

  first.runc("pause", first.id);
  await soon(t, told, `changed ${first.id} paused`);
  first.runc("resume", first.id);
  await soon(t, told, `changed ${first.id} running`);
  process.kill(first.pid, "SIGKILL");
  await soon(t, told, `stopped ${first.id} stopped`);
});

test(
  "what containerd and its shim's runc both tell of is one container, and only ever containerd's",
  { skip },
  async (t) => {
    await using containerd = await startContainerd();
    const runcRoot = `/run/containerd/runc/${containerd.namespace}`;
    const paths = { ...nowhere, containerd: [containerd.socket], runc: [runcRoot] };
    const before = containerd.run();
    await using registry = await openContainers({ node: "here", paths });
    const all: Container[] = [];
    registry.on("started", (container) => all.push(container));
    registry.on("changed", (container) => all.push(container));
    const after = containerd.run();
    await eventually("the start is told", () => (all.some(({ id }) => id === after.id) ? true : undefined), 2000);
    await registry.refresh();
    const tell = ({ id, runtime }: Container): string => `${runtime} ${id}`;
    assert.deepEqual(
      registry.containers().map(tell).toSorted(),
      [before, after].map(({ id }) => `containerd ${id}`).toSorted(),
    );
    assert.deepEqual(new Set(all.map(tell)), new Set([`containerd ${after.id}`]));

    await using alone = await openContainers({ node: "here", paths: { ...nowhere, runc: [runcRoot] } });
    assert.deepEqual(alone.containers().map(tell).toSorted(), [before, after].map(({ id }) => `runc ${id}`).toSorted());
    t.diagnostic("without containerd they are runc's");
  },
);

test("where there is no runtime that is said, with the places that were looked at", async () => {
  await using none = await openContainers({
    node: "here",
    paths: { ...nowhere, docker: ["/nonexistent/docker.sock"] },
  });
  const [health, ...others] = none.health();
  assert.deepEqual(others, []);
  assert.equal(health?.state, "off");
  assert.match(health.reason, /\/nonexistent\/docker\.sock/);
  assert.notEqual(health.remedy, "");
});
