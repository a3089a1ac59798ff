import assert from "node:assert/strict";
import { test } from "node:test";
import { isSandbox, specFacts } from "./spec.ts";

const administers = { capabilities: { effective: ["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_SYS_MODULE"] } };
const masked = { maskedPaths: ["/proc/kcore"] };
const allDevices = { resources: { devices: [{ allow: true, access: "rwm" }] } };
const someDevices = {
  resources: {
    devices: [
      { allow: false, access: "rwm" },
      { allow: true, type: "c", major: 1, minor: 3 },
    ],
  },
};

for (const [what, spec, expected] of [
  ["everything allowed", { process: administers, linux: { ...allDevices } }, true],
  [
    "everything allowed, with the rule in moby's words",
    {
      process: administers,
      linux: { ...masked, resources: { devices: [{ allow: true, type: "a", major: -1, minor: -1 }] } },
    },
    true,
  ],
  ["privileged without host devices", { process: administers, linux: { ...someDevices, maskedPaths: [] } }, true],
  ["only the capabilities added", { process: administers, linux: { ...someDevices, ...masked } }, false],
  [
    "a seccomp filter left on",
    { process: administers, linux: { ...allDevices, seccomp: { defaultAction: "SCMP_ACT_ERRNO" } } },
    false,
  ],
  [
    "all devices but few capabilities",
    { process: { capabilities: { effective: ["CAP_CHOWN"] } }, linux: allDevices },
    false,
  ],
  [
    "one kind of device",
    { process: administers, linux: { ...masked, resources: { devices: [{ allow: true, type: "c" }] } } },
    false,
  ],
] as const) {
  test(`privileged: ${what}`, () => assert.equal(specFacts(spec)?.privileged, expected));
}

test("a namespace that is not asked for, or is the first process's, is the host's", () => {
  const namespaces = [
    { type: "pid" },
    { type: "mount" },
    { type: "uts", path: "/var/run/netns/x" },
    { type: "network", path: "/proc/1/ns/net" },
  ];
  assert.deepEqual(specFacts({ linux: { namespaces } })?.hostNamespaces, ["net", "ipc"]);
});

test("mounts keep their source, target, kind and whether they can be written", () => {
  const mounts = [
    { destination: "/data", source: "/srv", options: ["rbind", "ro"] },
    { destination: "/proc", type: "proc", source: "proc" },
  ];
  assert.deepEqual(specFacts({ mounts })?.mounts, [
    { source: "/srv", target: "/data", type: "bind", readOnly: true },
    { source: "proc", target: "/proc", type: "proc", readOnly: false },
  ]);
});

test("its cgroup is known where it is one path in every hierarchy", () => {
  const cgroupOf = (cgroupsPath?: string) => specFacts({ linux: { cgroupsPath } })?.cgroup;
  assert.deepEqual(["/default/web", "web", "system.slice:cri-containerd:web", undefined].map(cgroupOf), [
    "/default/web",
    null,
    null,
    null,
  ]);
});

test("what is no specification gives nothing", () => {
  for (const broken of [undefined, null, 7, "x", [], { mounts: 3 }]) assert.equal(specFacts(broken), undefined);
});

test("containers that hold a pod open are known in every runtime's words", () => {
  assert.ok(isSandbox({ "io.cri-containerd.kind": "sandbox" }));
  assert.ok(isSandbox({ "io.kubernetes.cri.container-type": "sandbox" }));
  assert.ok(isSandbox({ "io.kubernetes.cri-o.ContainerType": "sandbox" }));
  assert.ok(isSandbox({ "io.kubernetes.docker.type": "podsandbox" }));
  assert.ok(!isSandbox({ "io.cri-containerd.kind": "container" }));
});
