import assert from "node:assert/strict";
import { test } from "node:test";
import { runApart } from "./apart.ts";

const child = new URL("apart.child.ts", import.meta.url);

test("work in a process of its own: its answer, or what it raised, or that it ended", async () => {
  assert.deepEqual(await runApart(child, "answer"), { job: "answer" });
  await assert.rejects(runApart(child, "raise"), /^Error: on purpose$/);
  await assert.rejects(runApart(child, "end"), /the process ended \(status 3\)/);
});

test("what needs more memory than it may is ended, buffers beside the heap too", async () => {
  const limit = { memory: 250_000_000 };
  assert.deepEqual(await runApart(child, "answer", limit), { job: "answer" });
  await assert.rejects(runApart(child, "take", limit), /it needed more than 250 MB of memory/);
});

test("what takes too long, and what nobody wants any more, is ended", async () => {
  await assert.rejects(runApart(child, "wait", { timeLimit: 1000 }), /it took longer than 1 s/);
  const stop = new AbortController();
  const work = runApart(child, "wait", { signal: stop.signal, onProgress: () => stop.abort() });
  await assert.rejects(work, /it was broken off/);
});
