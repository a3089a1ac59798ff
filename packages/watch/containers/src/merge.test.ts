import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleContainer } from "@bulwark/testkit";
import { identityOf, orderedBy } from "./merge.ts";

const id = "f".repeat(64);
const web = { id: "web", rootfs: "/srv/web", runtimeNamespace: "" };

test("an id that a runtime made up is one container, whoever tells of it", () => {
  const docker = sampleContainer(1, { id, runtime: "docker", runtimeNamespace: "", rootfs: null });
  const moby = sampleContainer(1, { id, runtime: "containerd", runtimeNamespace: "moby" });
  assert.equal(identityOf(docker), identityOf(moby));
});

test("an id that a person chose is one container only within its namespace, or for its root file system", () => {
  const one = sampleContainer(1, { ...web, runtimeNamespace: "one" });
  const shim = sampleContainer(1, { ...web, runtime: "runc", runtimeNamespace: "one", rootfs: "/run/x" });
  const two = sampleContainer(1, { ...web, runtimeNamespace: "two" });
  const bare = sampleContainer(1, { ...web, runtime: "runc" });
  const other = sampleContainer(1, { ...web, runtime: "runc", rootfs: "/srv/other" });
  assert.equal(identityOf(one), identityOf(shim));
  assert.equal(new Set([one, two, bare, other].map(identityOf)).size, 4);
});

test("the poorer telling names who will tell it better", () => {
  const tell = (change: Parameters<typeof sampleContainer>[1]): string[] => orderedBy(sampleContainer(1, change));
  assert.deepEqual(tell({ runtime: "containerd", runtimeNamespace: "moby" }), ["docker"]);
  assert.deepEqual(tell({ runtime: "runc", runtimeNamespace: "moby" }), ["docker", "containerd"]);
  assert.deepEqual(tell({ runtime: "runc", runtimeNamespace: "k8s.io" }), ["containerd"]);
  const storage = "/var/lib/containers/storage/overlay/x/merged";
  assert.deepEqual(tell({ runtime: "crun", runtimeNamespace: "", rootfs: storage }), ["podman", "cri-o"]);
  assert.deepEqual(tell({ runtime: "runc", runtimeNamespace: "", rootfs: "/srv/x" }), []);
  assert.deepEqual(tell({ runtime: "containerd", runtimeNamespace: "k8s.io" }), []);
});
