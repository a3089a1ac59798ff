import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeResource } from "@bulwark/kube";
import { kubeKinds, mostManifest } from "@bulwark/model";
import fc from "fast-check";
import { manifestOf, Manifests } from "./manifest.ts";

const metadata = { name: "web", namespace: "shop", uid: "uid", resourceVersion: "1" };
const read = (text: string | null): unknown => JSON.parse(text ?? "null");

test("a pod is told whole, and is the same text however its cluster changes its status", () => {
  const spec = { hostNetwork: true, containers: [{ name: "c", image: "i", securityContext: { privileged: true } }] };
  const pod = (resourceVersion: string, status: object): KubeResource => ({
    ...{ apiVersion: "v1", kind: "Pod", spec, status },
    metadata: {
      ...{ ...metadata, resourceVersion, managedFields: [{ manager: resourceVersion }] },
      annotations: { team: "a", "kubectl.kubernetes.io/last-applied-configuration": "{}" },
    },
  });
  const first = manifestOf("Pod", pod("1", { phase: "Running", conditions: [1] }));
  assert.equal(first, manifestOf("Pod", pod("2", { phase: "Running", conditions: [2], podIP: "10.0.0.1" })));
  const { resourceVersion: _, ...kept } = metadata;
  assert.deepEqual(read(first), {
    ...{ apiVersion: "v1", kind: "Pod", spec, status: { phase: "Running" } },
    metadata: { ...kept, annotations: { team: "a" } },
  });
  assert.notEqual(first, manifestOf("Pod", pod("3", { phase: "Failed" })));
});

test("of a variable that is called like a credential nothing but that it has a value leaves the cluster", () => {
  const env = [
    { name: "DB_PASSWORD", value: "hunter2" },
    { name: "API_TOKEN", value: "" },
    { name: "MODE", value: "fast" },
    { name: "SECRET_KEY", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
  ];
  const template = { spec: { initContainers: [{ name: "c", env }] } };
  const text = manifestOf("CronJob", { metadata, spec: { jobTemplate: { spec: { template } } } });
  assert.doesNotMatch(text ?? "", /hunter2/);
  const told = [{ name: "DB_PASSWORD", value: "(not told)" }, ...env.slice(1)];
  assert.deepEqual(read(text), {
    metadata: { name: "web", namespace: "shop", uid: "uid" },
    spec: { jobTemplate: { spec: { template: { spec: { initContainers: [{ name: "c", env: told }] } } } } },
  });
});

test("one that is too large is none, and whatever an API server sends raises nothing", () => {
  assert.equal(manifestOf("Pod", { metadata: { ...metadata, annotations: { a: "x".repeat(mostManifest) } } }), null);
  const json = fc.jsonValue({ maxDepth: 4 });
  const shape = fc.record({
    spec: json,
    status: json,
    metadata: fc.record({ name: fc.string(), annotations: fc.dictionary(fc.string(), fc.string()), env: json }),
  });
  fc.assert(
    fc.property(fc.constantFrom(...kubeKinds), shape, (kind, raw) => {
      const text = manifestOf(kind, raw as unknown as KubeResource);
      return text === null || typeof JSON.parse(text) === "object";
    }),
  );
});

test("a manifest is told once, again when it is another, and again when its object was away", () => {
  const told = new Manifests();
  assert.deepEqual(told.changed("u", "a"), { manifest: "a" });
  assert.deepEqual(told.changed("u", "a"), {});
  assert.deepEqual(told.changed("u", null), { manifest: null });
  assert.deepEqual(told.changed("u", null), {});
  told.keep(new Set(["other"]));
  assert.deepEqual(told.changed("u", null), { manifest: null });
  told.forget("u");
  assert.deepEqual(told.changed("u", "a"), { manifest: "a" });
});
