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

/** That each entry is found by its number, and has the parent, the ancestors and the children that it was given. */
function complete(table: ProcessTable, parents: ReadonlyMap<number, number>): void {
  const children = new Map<number, number[]>();
  for (const [pid, parent] of parents) {
    const siblings = children.get(parent);
    if (siblings) siblings.push(pid);
    else children.set(parent, [pid]);
  }
  for (const [pid, parent] of parents) {
    const entry = table.get(pid, BigInt(pid));
    assert.ok(entry, `${pid} is known`);
    if (parents.has(parent)) assert.equal(table.parent(entry)?.pid, parent);
    const known = table.children(entry).map((child) => child.pid);
    assert.deepEqual(known, children.get(pid) ?? []);
  }
}

const many = 100_000;
/** Whose child a process is, of all that live: one of one, in a row; or of one that has thousands. */
const shapes: Record<string, (pid: number) => number> = {
  deep: (pid) => pid - 1,
  wide: () => 1,
  "of many that have many": (pid) => Math.floor(pid / 300) || 1,
};
for (const [shape, parentOf] of Object.entries(shapes)) {
  test(`a hundred thousand that live, ${shape}: all are known, and all are forgotten when they end`, () => {
    const table = new ProcessTable();
    const s = story();
    table.apply(s.exec(1, "/sbin/init"), 0);
    const parents = new Map<number, number>([[1, 0]]);
    for (let pid = 2; pid <= many; pid++) {
      table.apply(s.fork(parentOf(pid), pid), 0);
      parents.set(pid, parentOf(pid));
    }
    assert.deepEqual([table.size, table.evicted], [many, 0]);
    complete(table, parents);
    const last = table.get(many, BigInt(many));
    assert.ok(last);
    const above = table.ancestors(last).map(({ pid }) => pid);
    assert.deepEqual(
      above.slice(0, 3),
      [parentOf(many), parentOf(parentOf(many)), parentOf(parentOf(parentOf(many)))]
        .filter((pid) => pid > 0)
        .slice(0, above.length),
    );
    assert.equal(above.length, shape === "deep" ? 32 : shape === "wide" ? 1 : above.indexOf(1) + 1);

    // Half of them end, those that were there first: who lives still has those above it, then they are forgotten.
    for (let pid = 2; pid <= many / 2; pid++) table.apply(s.exit(pid), 10);
    assert.deepEqual(
      table.ancestors(last).map(({ pid }) => pid),
      above,
    );
    table.apply(s.exec(1, "/sbin/init"), 70_000);
    table.apply(s.exec(1, "/sbin/init"), 140_000);
    assert.equal(table.size, many / 2 + 1);
    for (let pid = many / 2 + 1; pid <= many; pid++) table.apply(s.exit(pid), 140_000);
    table.apply(s.exec(1, "/sbin/init"), 150_000);
    table.apply(s.exec(1, "/sbin/init"), 210_001);
    assert.deepEqual([table.size, table.evicted], [1, 0]);
    const init = table.get(1, 1n);
    assert.ok(init);
    assert.deepEqual(table.children(init), []);
  });

  test(`a hundred thousand that live, ${shape}, where fifty thousand are kept: the last are right`, () => {
    const limit = 50_000;
    const table = new ProcessTable({ limit });
    const s = story();
    table.apply(s.exec(1, "/sbin/init"), 0);
    const kept = new Map<number, number>();
    for (let pid = 2; pid <= many; pid++) {
      table.apply(s.fork(parentOf(pid), pid), 0);
      assert.ok(table.size <= limit);
      if (pid > many - limit) kept.set(pid, parentOf(pid));
    }
    assert.deepEqual([table.size, table.evicted], [limit, many - limit]);
    assert.equal(table.get(many - limit, BigInt(many - limit)), undefined, "the oldest was given up");
    complete(table, kept);
    // One of whom nothing is known any more ends, and makes another one.
    assert.equal(table.apply(s.exit(2), 10), undefined);
    assert.ok(table.apply(s.fork(2, many + 1), 10));
    assert.equal(table.size, limit);
    for (const pid of kept.keys()) table.apply(s.exit(pid), 20);
    table.apply(s.exec(many + 1, "/bin/a"), 6000);
    table.apply(s.exec(many + 1, "/bin/a"), 70_000);
    table.apply(s.exec(many + 1, "/bin/a"), 140_000);
    assert.equal(table.size, 1);
  });
}
