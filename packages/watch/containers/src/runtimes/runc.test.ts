import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "@bulwark/testkit";
import { nowhere, temporaryFolder } from "../fake-runtime.fixture.ts";
import { openContainers } from "../open.ts";
import { processStat } from "../process.ts";

function put(root: string, id: string, file: string, state: unknown): void {
  mkdirSync(join(root, id), { recursive: true });
  writeFileSync(join(root, id, file), typeof state === "string" ? state : JSON.stringify(state));
}

/** As crun 1.8 writes it. crun itself does not run where both versions of cgroups are mounted. */
function crunStatus(pid: number, startTicks: number, bundle: string): object {
  return {
    pid,
    "process-start-time": startTicks,
    "cgroup-path": "",
    scope: "",
    rootfs: "rootfs",
    "systemd-cgroup": false,
    bundle,
    created: "2026-01-02T03:04:05.000000Z",
    detached: true,
  };
}

test("crun: a container is told from its status and its bundle", async () => {
  using folder = temporaryFolder();
  const bundle = join(folder.path, "bundle");
  mkdirSync(bundle);
  const config = { annotations: { "org.opencontainers.image.ref.name": "registry.example/web:1", team: "blue" } };
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  try {
    const { startTicks = 0 } = (await processStat(child.pid ?? 0)) ?? {};
    const root = join(folder.path, "crun");
    put(root, "web", "status", crunStatus(child.pid ?? 0, startTicks, bundle));
    put(root, "gone", "status", crunStatus(child.pid ?? 0, startTicks + 1, bundle));
    await using registry = await openContainers({ node: "here", paths: { ...nowhere, crun: [root] } });
    const told = registry.containers().map(({ id, runtime, pid, rootfs, image, labels }) => ({
      id,
      runtime,
      pid,
      rootfs,
      image: image.name,
      team: labels["team"],
    }));
    assert.deepEqual(told, [
      {
        id: "web",
        runtime: "crun",
        pid: child.pid,
        rootfs: join(bundle, "rootfs"),
        image: "registry.example/web:1",
        team: "blue",
      },
    ]);
  } finally {
    child.kill("SIGKILL");
  }
});

test("runc: states that are broken, half written or of no process are passed over", async () => {
  using folder = temporaryFolder();
  const root = join(folder.path, "runc");
  put(root, "half", "state.json", '{"id":"half","init_pro');
  put(root, "empty", "state.json", "");
  put(root, "other", "state.json", { unknown: true });
  put(root, "dead", "state.json", { id: "dead", init_process_pid: 4_194_000, config: { rootfs: "/" } });
  put(root, "none", "state.json", { id: "none", init_process_pid: 0, config: { rootfs: "/" } });
  put(root, "negative", "state.json", { id: "negative", init_process_pid: -1, config: { rootfs: "/" } });
  put(root, "reused", "state.json", {
    id: "reused",
    init_process_pid: process.pid,
    init_process_start: 1,
    config: { rootfs: "/" },
  });
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, runc: [root] } });
  assert.deepEqual(registry.containers(), []);
});

test("state folders of users are found by their pattern, also when they appear later", async () => {
  using folder = temporaryFolder();
  await using registry = await openContainers({
    node: "here",
    paths: { ...nowhere, runc: [join(folder.path, "*/runc")] },
  });
  put(join(folder.path, "1000/runc"), "mine", "state.json", {
    id: "mine",
    init_process_pid: process.pid,
    config: { rootfs: "/" },
  });
  await registry.refresh();
  assert.equal(registry.byId("mine")?.state, "running");
});

test("runc: a container that is over before anybody looks is told as stopped, and its cgroups are its own", async () => {
  using folder = temporaryFolder();
  const root = join(folder.path, "runc");
  mkdirSync(root);
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, runc: [root] } });
  // Of a process that has gone; the last one is shared with others, and names nobody.
  const cgroups = { memory: "/sys/fs/cgroup/memory/brief-1", pids: "/sys/fs/cgroup/pids/shared" };
  for (const id of ["brief-1", "brief-2"]) {
    const state = { id, init_process_pid: 4_194_000, cgroup_paths: cgroups, config: { rootfs: "/" } };
    put(root, id, "state.json", state);
  }
  const found = await eventually("it is known", async () => {
    await registry.refresh();
    return registry.byId("brief-1");
  });
  rmSync(join(root, "brief-1"), { recursive: true });
  assert.deepEqual([found.state, found.pid], ["stopped", null]);
  const whose = (path: string): string | undefined => registry.byCgroup([path, `/memory${path}`, `/pids${path}`])?.id;
  assert.deepEqual(
    [whose("/brief-1/child"), whose("/shared"), registry.byId("brief-2")],
    ["brief-1", undefined, undefined],
  );
});
