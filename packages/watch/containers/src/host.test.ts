import assert from "node:assert/strict";
import { test } from "node:test";
import { hostCgroups, isHost } from "./host.ts";

const pod = "/kubepods.slice/kubepods-pod1.slice/cri-containerd-c1.scope";

test("services and sessions of the host are the host's; containers and what runs services inside of them are not", () => {
  const isOfHost = hostCgroups(["0::/system.slice/bulwark.service\n"]);
  const host = [
    [],
    ["/system.slice/containerd.service"],
    ["/system.slice/bulwark.service/agent"],
    ["/user.slice/user-0.slice/session-1.scope"],
    ["/init.scope", "/system.slice/cron.service"],
  ];
  for (const cgroups of host) assert.ok(isOfHost(cgroups), cgroups.join());
  const others = [
    [pod],
    [`${pod}/system.slice/sshd.service`],
    [`${pod}/init.scope`],
    ["/system.slice/docker-c1.scope"],
    ["/init.scope", pod],
    ["/elsewhere"],
  ];
  for (const cgroups of others) assert.ok(!isOfHost(cgroups), cgroups.join());
});

test("on a node that is a container, its services are the host's, and nothing of another node or of the machine below", () => {
  const isOfHost = hostCgroups([
    `0::/docker/n1/kubelet.slice${pod}\n`,
    "0::/docker/n1/system.slice/containerd.service\n",
  ]);
  assert.ok(isOfHost(["/docker/n1/system.slice/containerd.service"]));
  assert.ok(isOfHost(["/docker/n1/init.scope"]));
  for (const path of [
    "/docker/n2/system.slice/containerd.service",
    "/system.slice/docker.service",
    "/docker/n1/kubelet.slice/kubepods-pod2.slice/cri-containerd-c2.scope",
    "/docker/n1/kubelet.slice/kubepods-pod2.slice/cri-containerd-c2.scope/system.slice/x.service",
    "/docker/n11/system.slice/containerd.service",
  ]) {
    assert.ok(!isOfHost([path]), path);
  }
});

test("where the runtime itself is, and we are, is the host's, whatever it is called", () => {
  const isOfHost = hostCgroups(["4:memory:/runner/1\n0::/kubepods/pod1/agent\n", "4:memory:/runner/2:x\n0::/\n"]);
  assert.ok(isOfHost(["/runner/1"]));
  assert.ok(isOfHost(["/runner/2:x"]));
  assert.ok(isOfHost(["/kubepods/pod1/agent", "/runner/1"]));
  assert.ok(!isOfHost(["/runner/1/x"]));
  assert.ok(!isOfHost(["/kubepods/pod1/other"]));
});

test("in a pod, whose cgroup namespace hides what is above it, services of the node are the host's all the same", () => {
  const isOfHost = hostCgroups(["0::/\n", "0::/../../../init.scope\n"]);
  assert.ok(isOfHost(["/init.scope"]));
  assert.ok(isOfHost(["/system.slice/containerd.service"]));
  assert.ok(!isOfHost([pod]));
  assert.ok(!isOfHost([`${pod}/system.slice/sshd.service`]));
});

test("this process is the host's", () => {
  assert.ok(isHost([]));
});
