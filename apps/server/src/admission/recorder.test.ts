import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdmissionDecision } from "@bulwark/model";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

type Given = Parameters<Recorder["add"]>[0];
const denied: Given = {
  ...{ time: 1, cluster: "west", policy: "no-host-path", outcome: "denied", mode: "enforce", rule: 0, reason: "r" },
  ...{ operation: "CREATE", kind: "Pod", namespace: "shop", name: "web", user: "alice", duration: 1 },
};
const allowed: Given = { ...denied, policy: "", outcome: "allowed" };

/** A recorder whose database takes what comes when `append` says so. */
function recorderOf(append: (batch: readonly AdmissionDecision[]) => Promise<void>): Recorder {
  const logger = { warn: () => undefined };
  return createRecorder({ store: { admission: { append } }, logger } as unknown as Context);
}
async function droppedBy(run: () => Promise<void>): Promise<number> {
  const dropped = async (): Promise<number> => (await count.decisionsDropped.get()).values[0]?.value ?? 0;
  const before = await dropped();
  await run();
  return (await dropped()) - before;
}

test("while the database does not answer so many decisions wait, refusals longest, and each that is lost is counted", async () => {
  const written: AdmissionDecision[] = [];
  const { promise: answers, resolve: answer } = Promise.withResolvers<void>();
  const lost = await droppedBy(async () => {
    await using recorder = recorderOf(async (batch) => {
      await answers;
      written.push(...batch);
    });
    for (let index = 0; index < 3000; index++) recorder.add(allowed);
    for (let index = 0; index < 9000; index++) recorder.add(denied);
    answer();
  });
  const of = (outcome: string): number => written.filter((one) => one.outcome === outcome).length;
  assert.deepEqual([of("allowed"), of("denied"), lost], [2000, 8000, 2000]);
  assert.equal(new Set(written.map(({ id }) => id)).size, written.length);
});

test("at the end all that waits is written, reviews without a verdict too; what is not taken is counted one by one", async () => {
  const written: AdmissionDecision[] = [];
  const lost = await droppedBy(async () => {
    await using recorder = recorderOf(async (batch) => {
      if (written.length > 0) throw new Error("the disk is full");
      written.push(...batch);
    });
    for (let index = 0; index < 1500; index++) recorder.add(denied);
    recorder.turnedAway("west", "overload", "256 reviews are under way");
    recorder.turnedAway("west", "overload", "256 reviews are under way");
  });
  assert.deepEqual([written.length, lost], [1000, 501]);
  const { promise, resolve } = Promise.withResolvers<readonly AdmissionDecision[]>();
  {
    await using recorder = recorderOf(async (batch) => resolve(batch));
    recorder.turnedAway("west", "overload", "256 reviews are under way");
  }
  assert.match((await promise)[0]?.reason ?? "", /^1 review had no verdict \(overload\)/);
});
