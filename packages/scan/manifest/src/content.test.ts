import assert from "node:assert/strict";
import { test } from "node:test";
import { caseProblems } from "@bulwark/check";
import { checksOf } from "./checks.ts";
import { dockerfileFacts } from "./dockerfile-facts.ts";

test("every check of Dockerfiles says of its cases what it must", () => {
  assert.deepEqual(
    caseProblems(checksOf("dockerfile"), (given) => dockerfileFacts(String(given))),
    [],
  );
});

test("every check of images says of its cases what it must", () => {
  assert.deepEqual(
    caseProblems(checksOf("image"), (given) => ({ values: { image: given } })),
    [],
  );
});
