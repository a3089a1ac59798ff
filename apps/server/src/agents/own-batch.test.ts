import assert from "node:assert/strict";
import { test } from "node:test";
import type { ToldRepeats } from "@bulwark/model";
import { ownBatch } from "./own-batch.ts";

/** What is left of these when the agent of `node-1` in the cluster `east` tells them; it calls its cluster `here`. */
function owned(...repeats: Pick<ToldRepeats, "alert" | "id">[]): unknown {
  const told = repeats.map((item) => ({ ...item, count: 1, last: 5 }));
  const records = [{ type: "repeats" as const, repeats: told }];
  const [record] = ownBatch({ node: "node-1", spool: "s", first: 1, records }, "east/node-1")?.records ?? [];
  return record?.type === "repeats" && record.repeats.map(({ alert, id }) => [alert, id]);
}

test("what happened again is counted with alerts of the own node and cluster alone, as the control plane calls them", () => {
  assert.deepEqual(owned({ alert: "node-1/boot/1/drift" }, { alert: "node-2/boot/1/drift" }), [
    ["east/node-1/boot/1/drift", undefined],
  ]);
  const asked = { alert: "here/audit/1/exec", id: "here/audit/2/exec" };
  assert.deepEqual(owned(asked), [["east/audit/1/exec", "east/audit/2/exec"]]);
  for (const foreign of [
    { alert: "west/audit/1/exec", id: "here/audit/2/exec" },
    { alert: "node-2/boot/1/drift", id: "here/audit/2/exec" },
    { alert: "west/node-2/boot/1/drift", id: "west/node-2/boot/2/drift" },
    { alert: "node-1/boot/1/drift", id: "here/audit/2/exec" },
  ]) {
    assert.deepEqual(owned(foreign), [], foreign.alert);
  }
});
