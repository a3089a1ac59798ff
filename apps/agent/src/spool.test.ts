import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { sampleAlert, sampleEvent } from "@bulwark/testkit";
import type { AgentRecord } from "@bulwark/model";
import fc from "fast-check";
import { Spool } from "./spool.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bulwark-spool-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const event = (n: number): AgentRecord => ({ type: "event", event: sampleEvent(n) });
const alert = (n: number): AgentRecord => ({ type: "alert", alert: sampleAlert(n) });
const open = async (limit = 1e9, segmentSize = 10_000): Promise<Spool> => Spool.open({ folder, limit, segmentSize });

async function numbers(spool: Spool): Promise<number[]> {
  const found: number[] = [];
  let after = 0;
  for (;;) {
    const batch = await spool.read(after, 7, 1e6);
    if (!batch) return found;
    for (const index of batch.records.keys()) found.push(batch.first + index);
    after = batch.first + batch.records.length - 1;
  }
}
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);

test("what was synced is read back in order, over segments and restarts, with numbers that go on", async () => {
  const first = await open();
  for (let n = 1; n <= 40; n++) first.append([event(n)]);
  assert.deepEqual(await numbers(first), []);
  await first.sync();
  assert.deepEqual(await numbers(first), range(1, 40));
  const { id } = first;
  await first.close();

  const second = await open();
  assert.equal(second.id, id);
  second.append([alert(1)]);
  await second.sync();
  assert.deepEqual(await numbers(second), range(1, 41));
  const last = await second.read(40, 1, 1e6);
  assert.deepEqual(JSON.parse(last?.records[0] ?? ""), alert(1));
  await second.close();
});

test("acknowledged segments go, and numbers do not begin anew", async () => {
  const spool = await open();
  for (let n = 1; n <= 40; n++) {
    spool.append([event(n)]);
    await spool.sync();
  }
  await spool.acknowledge(40);
  assert.equal(readdirSync(folder).filter((name) => name.endsWith(".spool")).length, 1);
  await spool.close();
  const again = await open();
  again.append([event(41)]);
  await again.sync();
  assert.deepEqual((await again.read(40, 10, 1e6))?.first, 41);
  await again.close();
});

test("what is taken in while a segment is begun is read back too", async () => {
  const spool = await open(1e9, 1000);
  const over = new AbortController();
  let next = 1;
  // At every step of a write and of a new segment there is something new.
  const taking = (async () => {
    while (!over.signal.aborted) {
      spool.append([event(next++)]);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let n = 0; n < 30; n++) await spool.sync();
  over.abort();
  await taking;
  await spool.sync();
  assert.deepEqual(await numbers(spool), range(1, next - 1));
  assert.deepEqual(spool.lost, { full: 0, torn: 0, disk: 0 });
  await spool.close();
});

test("written, read and forgotten at the same time, above its limit too: every record is read once or counted", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 3000, max: 40_000 }),
      fc.array(fc.nat(3), { maxLength: 60 }),
      async (limit, steps) => {
        rmSync(folder, { recursive: true, force: true });
        const spool = await open(limit, 2000);
        let next = 1;
        let isOver = false;
        const writing = (async () => {
          for (const step of steps) {
            for (let n = 0; n < step; n++) spool.append([next++ % 5 === 0 ? alert(next) : event(next)]);
            void spool.sync();
            await new Promise((resolve) => setImmediate(resolve));
          }
          await spool.sync();
          isOver = true;
        })();
        const found: number[] = [];
        for (let after = 0; ;) {
          const last = isOver;
          const batch = await spool.read(after, 3, 1e6);
          if (!batch && last) break;
          if (!batch) await new Promise((resolve) => setImmediate(resolve));
          else {
            found.push(...batch.records.map((_, index) => batch.first + index));
            after = found.at(-1) ?? 0;
            await spool.acknowledge(after);
          }
        }
        await writing;
        assert.deepEqual(
          found,
          [...new Set(found)].sort((a, b) => a - b),
        );
        // One may be counted as dropped that was being read at that moment, never the other way round.
        assert.ok(found.length + spool.lost.full >= next - 1, `${found.length} + ${spool.lost.full} of ${next - 1}`);
        if (spool.lost.full === 0) assert.equal(found.length, next - 1);
        await spool.close();
      },
    ),
    { numRuns: 40 },
  );
});

test("above its limit it drops events before alerts, and counts them", async () => {
  const spool = await open(60_000);
  for (let n = 1; n <= 200; n++) {
    spool.append([n % 20 === 0 ? alert(n) : event(n)]);
    await spool.sync();
  }
  const left = await numbers(spool);
  assert.equal(left.length + spool.lost.full, 200);
  assert.ok(spool.size.bytes <= 60_000);
  assert.deepEqual(
    left.filter((n) => n % 20 === 0),
    range(1, 10).map((n) => n * 20),
  );
  await spool.close();
});

test("wherever a crash tears the newest segment, whole lines survive and writing goes on", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(20_000), fc.uint8Array({ maxLength: 50 }), async (cut, noise) => {
      rmSync(folder, { recursive: true, force: true });
      const spool = await open(1e9, 1e6);
      for (let n = 1; n <= 10; n++) spool.append([event(n)]);
      await spool.close();
      const path = join(folder, readdirSync(folder).find((name) => name.endsWith(".spool")) ?? "");
      const text = readFileSync(path);
      const at = cut % (text.length + 1);
      truncateSync(path, at);
      appendFileSync(path, noise);
      const whole = text.subarray(0, at).toString().split("\n").length - 1;

      const again = await open(1e9, 1e6);
      again.append([event(99)]);
      await again.sync();
      const left = await numbers(again);
      assert.deepEqual(left, range(1, whole + 1));
      await again.close();
    }),
    { numRuns: 60 },
  );
});

test("a file that is not of it is left alone", async () => {
  writeFileSync(join(folder, "note.txt"), "hello");
  const spool = await open();
  await spool.close();
  assert.equal(readFileSync(join(folder, "note.txt"), "utf8"), "hello");
});
