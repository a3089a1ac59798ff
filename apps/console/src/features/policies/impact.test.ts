import assert from "node:assert/strict";
import { test } from "node:test";
import type { PolicyViolation } from "@bulwark/model";
import { deniedBut, namespacesIn } from "./impact.ts";

test("namespaces are read as people write them, and what is none is refused", () => {
  assert.deepEqual(namespacesIn(" a, b-1  a\nc "), ["a", "b-1", "c"]);
  assert.deepEqual(namespacesIn(""), []);
  assert.equal(namespacesIn("a, B"), null);
  assert.equal(namespacesIn("-a"), null);
});

test("what is in a namespace that is left out would not be denied", () => {
  const one = (namespace: string, verdict: PolicyViolation["verdict"]): PolicyViolation => ({
    ...{ policy: "p", cluster: "c", kind: "Pod", namespace, name: "n", verdict, message: "", objects: 1, since: 0 },
  });
  const all = [one("a", "denied"), one("b", "denied"), one("a", "unknown")];
  assert.deepEqual(
    deniedBut(all, ["b"]).map(({ namespace }) => namespace),
    ["a"],
  );
});
