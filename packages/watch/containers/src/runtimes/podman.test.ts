import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { container as schema } from "@bulwark/model";
import { eventually } from "@bulwark/testkit";
import { nowhere, temporaryFolder } from "../fake-runtime.fixture.ts";
import { openContainers } from "../open.ts";

const [one, two, three] = ["1".repeat(64), "2".repeat(64), "3".repeat(64)];

/** A process that stands for a container's first one, and ends with the test. */
function start(): { pid: number } & AsyncDisposable {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** As Podman 4 leaves it on disk: storage, and the run root with the process's id. */
function put(folder: string, entries: { id: string; metadata: object; pid?: number }[]): string {
  const storage = join(folder, "storage");
  mkdirSync(join(storage, "overlay-containers"), { recursive: true });
  const list = entries.map(({ id, metadata }) => ({
    id,
    names: ["web"],
    image: "5".repeat(64),
    layer: "6".repeat(64),
    metadata: JSON.stringify(metadata),
    created: "2026-01-02T03:04:05Z",
  }));
  for (const { id, pid } of entries) {
    const [userdata, run] = [join(storage, "overlay-containers", id, "userdata"), join(folder, "run", id, "userdata")];
    for (const path of [userdata, run]) mkdirSync(path, { recursive: true });
    const mounts = [
      { destination: "/etc/hosts", type: "bind", source: join(run, "hosts"), options: ["bind", "rprivate"] },
    ];
    const root = { path: join(storage, "overlay/x/merged") };
    writeFileSync(
      join(userdata, "config.json"),
      JSON.stringify({ root, mounts, annotations: { "io.container.manager": "libpod" } }),
    );
    if (pid !== undefined) writeFileSync(join(run, "pidfile"), String(pid));
  }
  writeFileSync(join(storage, "overlay-containers/containers.json"), JSON.stringify(list));
  return storage;
}

test("podman without its service: what runs is told from disk, what does not or is not Podman's is left out", async () => {
  using folder = temporaryFolder();
  const running = start();
  const storage = put(folder.path, [
    { id: one, metadata: { "image-name": "registry.example/web:1", name: "web" }, pid: running.pid },
    { id: two, metadata: { "image-name": "registry.example/web:1", name: "stopped" } },
    { id: three, metadata: { "pod-name": "shop-1", "image-name": "x", name: "of CRI-O" }, pid: running.pid },
  ]);
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, podman: [storage] } });
  const [seen, ...others] = registry.containers();
  assert.deepEqual(others, []);
  schema.parse(seen);
  assert.equal(seen?.id, one);
  assert.equal(seen.runtime, "podman");
  assert.equal(seen.name, "web");
  assert.deepEqual(seen.image, { name: "registry.example/web:1", digest: `sha256:${"5".repeat(64)}` });
  assert.equal(seen.pid, running.pid);
  assert.equal(seen.rootfs, join(storage, "overlay/x/merged"));
  assert.ok(Math.abs((seen.startedAt ?? 0) - Date.now()) < 3000);

  await running[Symbol.asyncDispose]();
  await eventually("the end", () => (registry.byId(one)?.state === "stopped" ? true : undefined), 2000);
});

test("podman without its service: a process that only has the same number is not taken for the container's", async () => {
  using folder = temporaryFolder();
  await using other = start();
  const storage = put(folder.path, [{ id: one, metadata: { name: "web" }, pid: other.pid }]);
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(join(folder.path, "run", one, "userdata/pidfile"), longAgo, longAgo);
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, podman: [storage] } });
  assert.deepEqual(registry.containers(), []);
});

test("podman without its service: a broken list is said, a storage without containers is not worth a word", async () => {
  using folder = temporaryFolder();
  const storage = put(folder.path, []);
  {
    await using registry = await openContainers({ node: "here", paths: { ...nowhere, podman: [storage] } });
    assert.equal(registry.health()[0]?.id, "runtime");
  }
  writeFileSync(join(storage, "overlay-containers/containers.json"), '[{"id":');
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, podman: [storage] } });
  assert.equal(registry.health()[0]?.id, "runtime:podman");
  assert.equal(registry.health()[0]?.state, "failed");
});
