import assert from "node:assert/strict";
import { test } from "node:test";
import { story } from "./cases.ts";
import { ProcessTable } from "./process-table.ts";

test("a number that is used again is another process", () => {
  const table = new ProcessTable();
  const s = story();
  table.apply(s.exec(5, "/bin/a"), 0);
  table.apply(s.exit(5), 1);
  table.apply(s.exec(5, "/bin/b", { startTime: 99n }), 2);
  assert.equal(table.get(5, 5n)?.executable, "/bin/a");
  assert.equal(table.get(5, 99n)?.executable, "/bin/b");
});

test("ancestors are known after they ended, and are forgotten later", () => {
  const table = new ProcessTable({ keep: 1000 });
  const s = story();
  table.apply(s.exec(1, "/bin/a"), 0);
  table.apply(s.fork(1, 2), 0);
  table.apply(s.exit(1), 10);
  const child = table.get(2, 2n);
  assert.ok(child);
  assert.deepEqual(
    table.ancestors(child).map(({ executable }) => executable),
    ["/bin/a"],
  );
  table.apply(s.fork(2, 3), 2000);
  assert.deepEqual(table.ancestors(child), []);
});

test("a process that ended without children is forgotten sooner than one that has some", () => {
  const table = new ProcessTable({ keep: 60_000 });
  const s = story();
  table.apply(s.exec(1, "/bin/a"), 0);
  table.apply(s.fork(1, 2), 0);
  table.apply(s.fork(1, 3), 0);
  for (const pid of [1, 2]) table.apply(s.exit(pid), 10);
  table.apply(s.fork(3, 4), 20_000);
  assert.deepEqual([table.get(1, 1n)?.pid, table.get(2, 2n)], [1, undefined]);
  table.apply(s.fork(3, 5), 61_000);
  assert.equal(table.get(1, 1n), undefined);
  assert.equal(table.size, 3);
});

test("a fork runs the program of who made it, and of another parent what it tells itself", () => {
  const table = new ProcessTable();
  const s = story();
  table.apply(s.exec(1, "/bin/a", { arguments: ["a", "b"] }), 0);
  const copy = table.apply(s.fork(1, 2, { executable: "", arguments: [] }), 0);
  assert.deepEqual([copy?.executable, copy?.arguments], ["/bin/a", ["a", "b"]]);
  const sibling = table.apply(s.fork(1, 3, { cloneFlags: 0x8000n, executable: "/bin/c", arguments: ["c"] }), 0);
  assert.deepEqual([sibling?.executable, sibling?.arguments], ["/bin/c", ["c"]]);
});

test("it does not grow without bound, and what has ended goes first", () => {
  const table = new ProcessTable({ limit: 100 });
  const s = story();
  table.apply(s.exec(1, "/sbin/init"), 0);
  for (let pid = 2; pid < 5000; pid++) {
    table.apply(s.fork(1, pid), 0);
    table.apply(s.exit(pid), 0);
  }
  assert.ok(table.size <= 100);
  assert.ok(table.get(1, 1n));
  assert.ok(table.evicted > 4000);
});

test("a chain that names itself as its parent ends", () => {
  const table = new ProcessTable();
  const s = story();
  const record = s.exec(7, "/bin/a", { parentPid: 7, parentStartTime: 7n });
  const entry = table.apply(record, 0);
  assert.ok(entry);
  assert.equal(table.ancestors(entry).length, 1);
});
