import assert from "node:assert/strict";
import { test } from "node:test";
import { recordedClock } from "./recorded-clock.ts";

test("the time of a recording goes on where its clock was set back, and not faster where records are out of order", () => {
  const clock = recordedClock();
  const hour = 3_600_000;
  assert.deepEqual(
    [5 * hour, 5 * hour + 20, 5 * hour + 10, 5 * hour + 30, 3 * hour, 3 * hour + 70].map((at) => clock(at) - 5 * hour),
    [0, 20, 20, 30, 30, 100],
  );
});
