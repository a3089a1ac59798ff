import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { groupCommit } from "./group-commit.ts";

/** Transactions that commit when they are told to. */
function database({ refused = "" } = {}) {
  const transactions: string[][] = [];
  const commits: (() => void)[] = [];
  const write = async (works: readonly string[]): Promise<string[]> => {
    transactions.push([...works]);
    await new Promise<void>((resolve) => commits.push(resolve));
    if (works.includes(refused)) throw new Error(`${refused} cannot be written`);
    return works.map((work) => `${work}!`);
  };
  return {
    transactions,
    write,
    async commit(): Promise<void> {
      commits.shift()?.();
      await turn();
    },
  };
}

describe("groupCommit", () => {
  test("writes at once where nothing is under way, and what comes meanwhile together", async () => {
    const { transactions, write, commit } = database();
    const put = groupCommit(write, { most: 3 });
    const results = ["a", "b", "c", "d", "e"].map(put);
    assert.deepEqual(transactions, [["a"]]);
    await commit();
    assert.deepEqual(transactions, [["a"], ["b", "c", "d"]]);
    await commit();
    const last = put("f");
    assert.deepEqual(transactions, [["a"], ["b", "c", "d"], ["e"]]);
    await commit();
    await commit();
    assert.deepEqual(await Promise.all([...results, last]), ["a!", "b!", "c!", "d!", "e!", "f!"]);
    assert.deepEqual(transactions.at(-1), ["f"]);
  });

  test("one that cannot be written is refused by itself", async () => {
    const { transactions, write, commit } = database({ refused: "c" });
    const put = groupCommit(write, { most: 10 });
    const results = Promise.allSettled(["a", "b", "c", "d"].map(put));
    for (let n = 0; n < 5; n++) await commit();
    assert.deepEqual(transactions, [["a"], ["b", "c", "d"], ["b"], ["c"], ["d"]]);
    assert.deepEqual(
      (await results).map((it) => (it.status === "fulfilled" ? it.value : String(it.reason))),
      ["a!", "b!", "Error: c cannot be written", "d!"],
    );
    const after = put("e");
    await commit();
    assert.equal(await after, "e!");
  });
});
