import assert from "node:assert/strict";
import { test } from "node:test";
import { Repeats } from "./repeats.ts";

test("the same is new again after the window, and where the clock was set back", () => {
  const repeats = new Repeats(1000);
  assert.ok(repeats.isNew("a", 5000));
  repeats.note("a", 5000);
  assert.equal(repeats.isNew("a", 5999), false);
  assert.ok(repeats.isNew("a", 6000));
  assert.ok(repeats.isNew("a", 10), "a day of silence would be worse than one alert twice");
});

test("what comes again is counted under what was raised, and taken once", () => {
  const repeats = new Repeats(1000);
  repeats.note("a", 0, "alert-1");
  repeats.note("b", 0, "alert-2");
  repeats.again("a", 70);
  repeats.again("a", 60);
  repeats.again("b", 80);
  repeats.again("nobody", 90);
  assert.deepEqual(repeats.take(1), [{ alert: "alert-1", count: 2, last: 70 }]);
  assert.deepEqual(repeats.take(5), [{ alert: "alert-2", count: 1, last: 80 }]);
  assert.deepEqual(repeats.take(5), []);
});

test("it keeps so many, the oldest goes first", () => {
  const repeats = new Repeats(1000, 2);
  for (const key of ["a", "b", "c"]) repeats.note(key, 0);
  assert.deepEqual(
    ["a", "b", "c"].map((key) => repeats.isNew(key, 1)),
    [true, false, false],
  );
});
