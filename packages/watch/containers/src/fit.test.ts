import assert from "node:assert/strict";
import { test } from "node:test";
import { container as schema } from "@bulwark/model";
import { sampleContainer } from "@bulwark/testkit";
import fc from "fast-check";
import { fit } from "./fit.ts";

const text = fc.oneof(
  fc.string(),
  fc.integer({ min: 0, max: 70_000 }).map((length) => "x".repeat(length)),
);

test("whatever a runtime tells, what goes on is what the model allows", () => {
  const told = fc.record({
    id: text,
    runtimeNamespace: text,
    name: text,
    image: fc.record({ name: text, digest: fc.option(text) }),
    labels: fc.dictionary(text, text, { maxKeys: 5 }),
    pod: fc.option(fc.record({ name: text, namespace: text, uid: text, container: text })),
    startedAt: fc.option(fc.double()),
    finishedAt: fc.option(fc.double()),
    pid: fc.option(fc.double()),
    rootfs: fc.option(text),
    mounts: fc.array(fc.record({ source: text, target: text, type: text, readOnly: fc.boolean() }), { maxLength: 5 }),
    capabilities: fc.array(text, { maxLength: 70 }),
  });
  fc.assert(
    fc.property(told, (change) => {
      const fitted = fit(sampleContainer(1, change));
      if (change.id === "" || change.id.length > 256) assert.equal(fitted, undefined);
      else schema.parse(fitted);
    }),
    { numRuns: 50 },
  );
});

test("what is within the limits stays as it is", () => {
  assert.deepEqual(fit(sampleContainer(3)), sampleContainer(3));
});
