import assert from "node:assert/strict";
import { test } from "node:test";
import { alert as alertSchema } from "@bulwark/model";
import type { LossRecord } from "@bulwark/sensor";
import { createLossWatch, sensorEndedAlert } from "./blindness.ts";

const minute = 60_000;

/** What is told of losses at these seconds, with a limit of 100 a minute. */
function told(...losses: (Partial<LossRecord> & { at: number })[]): (string[] | undefined)[] {
  const watch = createLossWatch(100);
  return losses.map(({ at, ...counts }) => {
    const loss = { type: "loss", sequence: 1n, time: 0n, ...none, ...counts } as const;
    const found = watch(loss, { id: `n/r/${at}`, node: "n", time: at * 1000 });
    if (found) alertSchema.parse(found);
    return found?.evidence.map(({ key, value }) => `${key} ${value}`);
  });
}
const none = { ring: 0n, pipe: 0n, unreadable: 0n, limited: 0n, files: 0n, flows: 0n };

test("more lost within a minute than may be is an alert, with the causes", () => {
  assert.deepEqual(told({ at: 1, ring: 60n }, { at: 20, ring: 60n, pipe: 40n }, { at: 30, ring: 61n, pipe: 40n }), [
    undefined,
    undefined,
    ["lost.ring 61", "lost.pipe 40"],
  ]);
});

test("as many over a longer time are none, and what was lost before is not counted again", () => {
  const slow = Array.from({ length: 10 }, (_, turn) => ({ at: 70 * turn, files: BigInt(90 * (turn + 1)) }));
  assert.deepEqual(
    told(...slow).filter((alert) => alert !== undefined),
    [],
  );
});

test("it is told once an hour, and with what was lost then", () => {
  const at = (minutes: number): number => (minutes * minute) / 1000;
  const losses = [
    { at: at(0), ring: 500n },
    { at: at(30), ring: 1000n },
    { at: at(61), ring: 2000n },
  ];
  assert.deepEqual(told(...losses), [["lost.ring 500"], undefined, ["lost.ring 1000"]]);
});

test("what a container lost of its own, and flows, are told otherwise", () => {
  assert.deepEqual(told({ at: 1, limited: 1_000_000n, flows: 1_000_000n }), [undefined]);
});

test("a clock that is set back does not silence it", () => {
  assert.deepEqual(told({ at: 90_000, ring: 500n }, { at: 10, ring: 1000n }), [["lost.ring 500"], ["lost.ring 500"]]);
});

test("the end of a sensor is an alert of the node, with how it ended", () => {
  const alert = alertSchema.parse(sensorEndedAlert("by SIGKILL", { id: "n/1", node: "n", time: 5 }));
  assert.deepEqual(
    [alert.rule, alert.node, alert.attribution, alert.evidence],
    ["sensor-ended", "n", "host", [{ key: "reason", value: "by SIGKILL" }]],
  );
});
