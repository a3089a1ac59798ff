import assert from "node:assert/strict";
import { test } from "node:test";
import type { TreeEntry, TreeFacts } from "@bulwark/image";
import { imageCheckAnalyzer } from "./index.ts";

function entry(path: string, mode = 0o755): TreeEntry {
  return { path, size: 1, mode, uid: 0, gid: 0, layer: null };
}
const bare: TreeFacts = { name: "shop", layers: [], config: null, osRelease: new Map(), faults: [] };
const config = {
  architecture: "amd64",
  os: "linux",
  created: null,
  user: "",
  environment: ["PATH=/bin", "DB_PASSWORD=hunter2"],
  entrypoint: [],
  command: [],
  labels: {},
  exposedPorts: ["22/tcp"],
  volumes: [],
  healthcheck: false,
  history: [{ createdBy: "RUN /bin/sh -c curl https://a/b | sh", emptyLayer: false, created: null }],
};

function failed(entries: TreeEntry[], tree: TreeFacts, state = "fail"): string[] {
  const facts = entries.flatMap((one) => {
    if (!imageCheckAnalyzer.wants(one)) return [];
    const fact = imageCheckAnalyzer.examine(one, Buffer.alloc(0));
    return fact ? [{ entry: one, fact, removed: false }] : [];
  });
  const { checks } = imageCheckAnalyzer.conclude({ facts, faults: [], tree });
  return checks.filter((one) => one.state === state).map(({ check }) => check);
}

test("an image's configuration and the modes of its files are judged", () => {
  const files = [
    entry("/bin/su", 0o4755),
    entry("/app/run", 0o777),
    entry("/usr/bin/dpkg"),
    entry("/usr/bin/sudo"),
    entry("/app/ok"),
  ];
  assert.deepEqual(failed(files, { ...bare, config }), [
    "image-curl-pipe-shell",
    "image-healthcheck",
    "image-root-user",
    "image-secret-variable",
    "image-setuid",
    "image-ssh-port",
    "image-sudo",
    "image-world-writable",
  ]);
});

test("a shell is only a fault in an image without a package manager", () => {
  assert.ok(failed([entry("/busybox/sh")], bare).includes("image-shell-in-minimal-image"));
  assert.ok(!failed([entry("/bin/sh"), entry("/sbin/apk")], bare).includes("image-shell-in-minimal-image"));
});

test("a bare tree has no configuration: what it would say is unknown", () => {
  const unknown = failed([], bare, "unknown");
  assert.ok(unknown.includes("image-root-user") && unknown.includes("image-healthcheck"));
});

test("where a layer could not be read, what is not there is unknown", () => {
  const cut = { ...bare, faults: [{ layer: null, message: "cut off" }] };
  assert.ok(failed([], cut, "unknown").includes("image-sudo"));
});
