import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { argumentNames, askingCalls, systemCall, tracedCalls } from "./system-calls.ts";

const lines = readFileSync(new URL("../c/calls.h", import.meta.url), "utf8").matchAll(
  /^(\w*CALL)\((\w+), (\d+), (\d+), (\d+)/gm,
);
const calls = [...lines].map(([, kind = "", name = "", ...numbers]) => ({ kind, name, numbers: numbers.map(Number) }));
const namesOf = (kind: string): string[] => [
  ...new Set(calls.flatMap((call) => (call.kind === kind ? [call.name] : []))),
];

test("which calls are told, and of what, is the same on both sides", () => {
  assert.deepEqual([...askingCalls].toSorted(), namesOf("CALL").toSorted());
  assert.deepEqual([...tracedCalls].toSorted(), namesOf("TRACED_CALL").toSorted());
});

test("numbers are the same on both sides, on every machine", () => {
  for (const { kind, name, numbers } of calls.filter(({ kind: of }) => of === "CALL" || of === "TRACED_CALL")) {
    const [x8664 = 0, arm64 = 0, i386 = 0] = numbers;
    if (x8664 !== 0) assert.equal(systemCall(1, false, x8664)?.name, name, kind);
    if (arm64 !== 0) assert.equal(systemCall(2, false, arm64)?.name, name, kind);
    if (i386 !== 0) assert.equal(systemCall(1, true, i386)?.name, name, kind);
    if (x8664 !== 0 && name !== "vhangup") assert.ok(argumentNames(name).length > 0, name);
  }
});
