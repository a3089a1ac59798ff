import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionsOver } from "./hours.ts";

const hour = 3_600_000;
const start = 1_000_000 * hour;

test("connections of an hour are added up, and an hour without any is there", () => {
  const flows = [
    { hour: start, connections: 2 },
    { hour: start, connections: 3 },
    { hour: start + 2 * hour, connections: 4 },
  ];
  const { spans, byDay } = connectionsOver(flows, start, start + 3 * hour);
  assert.equal(byDay, false);
  assert.deepEqual(
    spans.map(({ time, count }) => [(time - start) / hour, count]),
    [
      [0, 5],
      [1, 0],
      [2, 4],
    ],
  );
});

test("a week is told by the day, and nothing of it is lost", () => {
  const flows = Array.from({ length: 168 }, (_, index) => ({ hour: start + index * hour, connections: 1 }));
  const { spans, byDay } = connectionsOver(flows, start, start + 168 * hour);
  assert.equal(byDay, true);
  assert.ok(spans.length <= 8);
  assert.equal(
    spans.reduce((sum, { count }) => sum + count, 0),
    168,
  );
});
