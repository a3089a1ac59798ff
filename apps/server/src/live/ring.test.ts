import assert from "node:assert/strict";
import { test } from "node:test";
import { createRing } from "./ring.ts";

const frame = (id: number, size = 10) => ({ id: String(id), topic: "alert" as const, text: "x".repeat(size) });
const ids = (frames: { id: string }[] | undefined) => frames?.map(({ id }) => id);

test("a page gets what came after the last frame it has", () => {
  const ring = createRing("start", { frames: 3, bytes: 1000 });
  assert.equal(ring.last, "start");
  for (const id of [1, 2]) ring.push(frame(id));
  assert.deepEqual(ids(ring.after("start")), ["1", "2"]);
  assert.deepEqual(ids(ring.after("1")), ["2"]);
  assert.deepEqual(ids(ring.after("2")), []);
  assert.equal(ring.last, "2");
});

test("what has left the ring is not claimed to be known", () => {
  const ring = createRing("start", { frames: 3, bytes: 1000 });
  for (const id of [1, 2, 3, 4, 5]) ring.push(frame(id));
  assert.deepEqual(ids(ring.after("2")), ["3", "4", "5"], "the last one that left is still a place to go on from");
  assert.equal(ring.after("1"), undefined);
  assert.equal(ring.after("start"), undefined);
  assert.equal(ring.after("never"), undefined);
});

test("the ring is bounded by size, even by one frame", () => {
  const ring = createRing("start", { frames: 100, bytes: 100 });
  for (const id of [1, 2, 3]) ring.push(frame(id, 60));
  assert.deepEqual(ids(ring.after("2")), ["3"]);
  ring.push(frame(4, 200));
  assert.deepEqual(ids(ring.after("4")), []);
  assert.equal(ring.after("3"), undefined);
});
