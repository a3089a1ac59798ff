import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeResource } from "@bulwark/kube";
import { kubeKinds, kubeObject } from "@bulwark/model";
import fc from "fast-check";
import { toKubeObject } from "./convert.ts";

const metadata = { name: "web", namespace: "shop", uid: "uid", resourceVersion: "1" };
const pod = (change: object): KubeResource => ({
  metadata,
  spec: { containers: [{ name: "c", image: "i" }] },
  ...change,
});
const statusOf = (status: object, change: object = {}): string | undefined =>
  toKubeObject("east", "Pod", pod({ status, ...change }))?.status;

test("a pod's word is that of kubectl: what its containers wait for, else its phase", () => {
  const waiting = (reason: string): object => ({ name: "c", state: { waiting: { reason } } });
  assert.equal(statusOf({ phase: "Running" }), "Running");
  assert.equal(statusOf({}), "Pending");
  assert.equal(statusOf({ phase: "Pending", containerStatuses: [waiting("ContainerCreating")] }), "Pending");
  assert.equal(statusOf({ phase: "Pending", containerStatuses: [waiting("ImagePullBackOff")] }), "ImagePullBackOff");
  assert.equal(statusOf({ phase: "Running", containerStatuses: [waiting("CrashLoopBackOff")] }), "CrashLoopBackOff");
  assert.equal(statusOf({ phase: "Failed", reason: "Evicted" }), "Evicted");
  const killed = { name: "c", state: { terminated: { reason: "OOMKilled", exitCode: 137 } } };
  assert.equal(statusOf({ phase: "Failed", containerStatuses: [killed] }), "OOMKilled");
  const going = { metadata: { ...metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  assert.equal(statusOf({ phase: "Running" }, going), "Terminating");
});

test("the container of a pod has the id by which its runtime knows it, and the digest that runs", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const status = {
    name: "c",
    containerID: "containerd://abc",
    imageID: `registry/i@${digest}`,
    state: { running: {} },
  };
  const [container] = toKubeObject("east", "Pod", pod({ status: { containerStatuses: [status] } }))?.containers ?? [];
  assert.deepEqual([container?.id, container?.digest, container?.state], ["abc", digest, "running"]);
});

test("only who controls an object is its owner", () => {
  const reference = { apiVersion: "v1", kind: "Node", name: "n", uid: "u" };
  const owned = (controller: boolean): unknown =>
    toKubeObject("east", "Pod", pod({ metadata: { ...metadata, ownerReferences: [{ ...reference, controller }] } }))
      ?.owner;
  assert.equal(owned(false), null);
  assert.deepEqual(owned(true), reference);
});

test("whatever an API server sends is an object as it is kept, or none: nothing raises", () => {
  const anything = fc.anything({ withNullPrototype: true, maxDepth: 4 });
  const shape = fc.record({ spec: anything, status: anything, metadata: fc.constant(metadata), rules: anything });
  fc.assert(
    fc.property(fc.constantFrom(...kubeKinds), shape, (kind, raw) => {
      const object = toKubeObject("east", kind, raw);
      return object === undefined || kubeObject.safeParse(object).success;
    }),
    { numRuns: 1500 },
  );
});
