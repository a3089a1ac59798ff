import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { PolicyResult, PolicyRun, Store, ViolationFilter } from "./store.ts";

const now = 1_700_000_100_000;

function run(cluster: string, judgedAt: number): PolicyRun {
  return { cluster, judgedAt, durationMs: 1, objects: 7, hash: "a", problems: ["list ingresses: forbidden"] };
}

function result(policy: string, workloads: Record<string, "denied" | "unknown">): PolicyResult {
  const violations = Object.entries(workloads).map(([name, verdict]) => ({
    ...{ kind: "Deployment", namespace: "shop", name, verdict, message: `${name} runs as root\0`, objects: 3 },
  }));
  const count = (wanted: string): number => violations.filter(({ verdict }) => verdict === wanted).length;
  return {
    ...{ policy, judged: 10, denied: count("denied"), noted: 0, unknown: count("unknown"), dropped: 0 },
    violations,
  };
}

/** What every engine must do with what policies say of running workloads. */
export function runningPoliciesContract(
  name: string,
  options: { skip: string | false; open: () => Promise<Store> },
): void {
  describe(`policies over what runs on ${name}`, { skip: options.skip }, () => {
    let store: Store;
    before(async () => {
      store = await options.open();
    });
    after(async () => {
      await store[Symbol.asyncDispose]();
    });
    const list = async (filter: ViolationFilter = {}): Promise<string[]> =>
      (await store.runningPolicies.violations(filter, { limit: 100 })).items.map(
        (one) => `${one.policy} ${one.cluster}/${one.name} ${one.verdict} ${one.since - now}`,
      );

    test("the last look counts; since when stays while the verdict does", async () => {
      const { runningPolicies } = store;
      await runningPolicies.put(run("east", now), [
        result("root", { web: "denied", cart: "denied", db: "unknown" }),
        result("gone", { web: "denied" }),
      ]);
      await runningPolicies.put(run("west", now), [result("root", { web: "denied" })]);
      await runningPolicies.put(run("east", now + 5), [result("root", { web: "denied", db: "denied" })]);
      assert.deepEqual(await list(), ["root east/db denied 5", "root east/web denied 0", "root west/web denied 0"]);
      assert.deepEqual(await runningPolicies.runs(), [run("east", now + 5), run("west", now)]);
      const tallies = await runningPolicies.tallies();
      assert.deepEqual([...tallies], [["root", { judged: 20, denied: 3, noted: 0, unknown: 0, dropped: 0 }]]);
    });

    test("is found by policy, cluster, verdict and text, a page at a time", async () => {
      assert.deepEqual(await list({ cluster: "west", q: "AS ROOT" }), ["root west/web denied 0"]);
      assert.deepEqual(await list({ verdict: "unknown" }), []);
      assert.deepEqual(await list({ policy: "gone" }), []);
      const first = await store.runningPolicies.violations({}, { limit: 2 });
      const rest = await store.runningPolicies.violations({}, { limit: 2, cursor: first.next ?? undefined });
      assert.deepEqual([first.items.length, rest.items.length, rest.next], [2, 1, null]);
      assert.deepEqual([rest.items[0]?.message, rest.items[0]?.objects], ["web runs as root\0", 3]);
    });

    test("more than a transaction takes is written all the same, and a forgotten cluster is gone", async () => {
      const many = Object.fromEntries(Array.from({ length: 1500 }, (_, n) => [`w${n}`, "denied" as const]));
      await store.runningPolicies.put(run("west", now + 9), [result("a", many), result("b", many), result("c", {})]);
      assert.equal((await store.runningPolicies.tallies()).get("b")?.denied, 1500);
      assert.equal((await list({ cluster: "west", q: "w1499" })).length, 2);
      await store.runningPolicies.forget("west");
      assert.deepEqual(await list({ cluster: "west" }), []);
      assert.equal((await store.runningPolicies.runs()).length, 1);
    });
  });
}
