import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, missing, runWithRunc, startContainerd } from "@bulwark/testkit";
import { cgroupsOf } from "./cgroups.ts";
import { openContainers } from "./open.ts";
import type { RuntimePaths } from "./runtimes/index.ts";

const nowhere: RuntimePaths = { containerd: [], docker: [], "cri-o": [], podman: [], runc: [], crun: [] };
const skip = missing("root", "containerd", "runc", "busybox");

test("containers of containerd come and go within two seconds, with what they are", { skip }, async () => {
  await using containerd = await startContainerd();
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, containerd: [containerd.socket] } });
  const started: string[] = [];
  const stopped: string[] = [];
  registry.on("started", ({ id }) => started.push(id));
  registry.on("stopped", ({ id }) => stopped.push(id));

  const plain = containerd.run({
    flags: ["--label", "team=blue", "--mount", "type=bind,src=/tmp,dst=/mnt,options=rbind:ro"],
  });
  await eventually("the start is told", () => (started.includes(plain.id) ? true : undefined), 2000);
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
  assert.ok(Math.abs((seen.startedAt ?? 0) - Date.now()) < 60_000);

  const paths = await cgroupsOf(plain.pid);
  assert.ok(paths.some((path) => path.endsWith(plain.id)));
  assert.equal(registry.byCgroup(paths)?.id, plain.id);
  assert.equal(registry.byCgroup(paths.map((path) => `${path}/inner`))?.id, plain.id);
  assert.equal(registry.byCgroup(await cgroupsOf(process.pid)), undefined);

  const strong = containerd.run({ flags: ["--privileged", "--net-host"] });
  await eventually("the second start is told", () => (started.includes(strong.id) ? true : undefined), 2000);
  assert.equal(registry.byId(strong.id)?.privileged, true);
  assert.deepEqual(registry.byId(strong.id)?.hostNamespaces, ["net"]);

  plain.stop();
  await eventually("the stop is told", () => (stopped.includes(plain.id) ? true : undefined), 2000);
  assert.equal(registry.byId(plain.id)?.state, "stopped");
  assert.equal(registry.health()[0]?.state, "ok");
});

test("a container of bare runc is found, and is told once where containerd tells of it too", { skip }, async () => {
  await using container = runWithRunc();
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, runc: [container.root] } });
  const seen = registry.byId(container.id);
  assert.equal(seen?.runtime, "runc");
  assert.equal(seen?.rootfs, container.rootfs);
  assert.equal(seen?.pid, container.pid);
  assert.equal(registry.byCgroup(await cgroupsOf(container.pid))?.id, container.id);

  await using containerd = await startContainerd();
  const twice = containerd.run();
  const shims = containerd.socket.replace("containerd.sock", "");
  await using both = await openContainers({
    node: "here",
    paths: {
      ...nowhere,
      containerd: [containerd.socket],
      runc: [`/run/containerd/runc/${containerd.namespace}`, shims],
    },
  });
  assert.deepEqual(
    both.containers().map(({ id, runtime }) => [id, runtime]),
    [[twice.id, "containerd"]],
  );
});

test("a runtime that is not there, or goes away, is said and does no harm", { skip }, async () => {
  await using none = await openContainers({ node: "here", paths: nowhere });
  assert.equal(none.health()[0]?.state, "off");
  assert.notEqual(none.health()[0]?.remedy, "");

  const containerd = await startContainerd();
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, containerd: [containerd.socket] } });
  assert.equal(registry.health()[0]?.state, "ok");
  await containerd[Symbol.asyncDispose]();
  await eventually("the loss is said", () => (registry.health()[0]?.state === "ok" ? undefined : true));
});
