import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { BenchmarkReport, CheckState } from "@bulwark/model";
import type { Store } from "./store.ts";

const now = 1_700_000_100_000;
const day = 86_400_000;

function reportOf(name: string, states: Record<string, CheckState[]>): BenchmarkReport {
  const results = Object.entries(states).flatMap(([check, all]) =>
    all.map((state) => ({
      ...{ check, title: check, state, severity: "high" as const, subject: name, reason: "so it is" },
      ...{ evidence: [{ key: "seen", value: "it" }], remedy: "mend it", line: null },
    })),
  );
  const sets = [{ id: "kernel", applies: true, reason: "" }];
  return { subject: { kind: "host", name }, collectedAt: now, durationMs: 1, sets, results };
}

/** What every engine must do with reports of benchmarks. */
export function benchmarksContract(name: string, options: { skip: string | false; open: () => Promise<Store> }): void {
  describe(`benchmarks on ${name}`, { skip: options.skip }, () => {
    let store: Store;
    before(async () => {
      store = await options.open();
    });
    after(async () => {
      await store[Symbol.asyncDispose]();
    });
    const states = async (check: string): Promise<string[]> =>
      (await store.benchmarks.states({ check })).map(
        ({ subject, state, since }) => `${subject.name} ${state} ${since}`,
      );

    test("the last report counts, with the worst that a check says; since when stays while the state does", async () => {
      await store.benchmarks.put(reportOf("a", { one: ["unknown", "fail"], two: ["pass"], gone: ["fail"] }), now);
      await store.benchmarks.put(reportOf("b", { one: ["pass"], two: ["unknown"] }), now);
      assert.deepEqual(await states("one"), [`a fail ${now}`, `b pass ${now}`]);
      await store.benchmarks.put(reportOf("a", { one: ["fail"], two: ["fail"] }), now + 5);
      assert.deepEqual(await states("one"), [`a fail ${now}`, `b pass ${now}`]);
      assert.deepEqual(await states("two"), [`a fail ${now + 5}`, `b unknown ${now}`]);
      assert.deepEqual(await states("gone"), []);
      assert.equal(await store.benchmarks.failing(10, now), 2);
      assert.equal(await store.benchmarks.failing(1, now), 1);
      const kept = await store.benchmarks.report({ kind: "host", name: "a" });
      assert.deepEqual(kept, { ...reportOf("a", { one: ["fail"], two: ["fail"] }) });
      assert.equal(await store.benchmarks.report({ kind: "cluster", name: "a" }), undefined);
    });

    test("a day has its last report of each", async () => {
      await store.benchmarks.put(reportOf("a", { one: ["pass"], two: ["pass"] }), now + day);
      const days = await store.benchmarks.days(30, now + day);
      assert.deepEqual(
        days.map(({ passed, failed, unknown }) => [passed, failed, unknown]),
        [
          [1, 2, 1],
          [2, 0, 0],
        ],
      );
    });

    test("what an agent tells comes with its batch", async () => {
      const report = reportOf("c", { one: ["fail"] });
      await store.ingest.write({ node: "c", spool: "s", first: 1, records: [{ type: "benchmark", report }] }, now);
      assert.deepEqual(await store.benchmarks.report({ kind: "host", name: "c" }), report);
    });

    test("exceptions hold until their day, and reports go with time", async () => {
      const exception = {
        ...{ id: "e1", check: "one", subject: { kind: "host" as const, name: "a" }, reason: "a lab", owner: "ops" },
        ...{ createdAt: now, expiresAt: now + day },
      };
      await store.benchmarks.addException(exception);
      assert.deepEqual(await store.benchmarks.exceptions(now), [exception]);
      assert.deepEqual(await store.benchmarks.exceptions(now + day), []);
      assert.equal(await store.benchmarks.deleteException("e1"), true);
      assert.equal(await store.benchmarks.deleteException("e1"), false);
      await store.benchmarks.forget({ kind: "host", name: "c" });
      assert.equal(await store.benchmarks.report({ kind: "host", name: "c" }), undefined);
      await store.retain({ assetDays: 30 }, now + 90 * day);
      assert.deepEqual(await store.benchmarks.subjects(), []);
      assert.deepEqual(await store.benchmarks.states(), []);
    });
  });
}
