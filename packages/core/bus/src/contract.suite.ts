import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "@bulwark/testkit";
import type { Bus } from "./bus.ts";

export const contractDelays = [20, 50, 100];

/** What both buses must do, with `contractDelays` between attempts. `open` gives another replica's view of the same bus each time. */
export function busContract(
  name: string,
  options: { skip: string | false; open: () => Promise<Bus>; replicas: boolean },
): void {
  describe(`bus ${name}`, { skip: options.skip }, () => {
    let one: Bus;
    let two: Bus;
    before(async () => {
      one = await options.open();
      two = options.replicas ? await options.open() : one;
    });
    after(async () => {
      await one[Symbol.asyncDispose]();
      if (two !== one) await two[Symbol.asyncDispose]();
    });

    test("every replica gets every live message, in order, with a growing id", async () => {
      const seen: [string, unknown, number][] = [];
      await using _a = await one.subscribe("live", ({ data }, id) => void seen.push(["one", data, id]));
      await using _b = await two.subscribe("live", ({ data }, id) => void seen.push(["two", data, id]));
      for (const data of [1, 2, 3]) await one.publish("live", { topic: "alert", data });
      await eventually("six deliveries", () => (seen.length === 6 ? true : undefined));
      for (const replica of ["one", "two"]) {
        const mine = seen.filter(([who]) => who === replica);
        assert.deepEqual(
          mine.map(([, data]) => data),
          [1, 2, 3],
        );
        const ids = mine.map(([, , id]) => id);
        assert.deepEqual(
          ids,
          ids.toSorted((a, b) => a - b),
        );
      }
    });

    test("work is done once, and again when it fails", async () => {
      const done: string[] = [];
      let failures = 2;
      const handler = async ({ key }: { key: string }): Promise<void> => {
        if (key === "b" && failures-- > 0) throw new Error("not yet");
        done.push(key);
      };
      await using _a = await one.work("image.reported", handler);
      await using _b = two === one ? { async [Symbol.asyncDispose]() {} } : await two.work("image.reported", handler);
      for (const key of ["a", "b", "c"]) await one.publish("image.reported", { key });
      await eventually("three pieces of work", () => (done.length === 3 ? true : undefined));
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.deepEqual(done.toSorted(), ["a", "b", "c"]);
      assert.equal(one.abandoned + (two === one ? 0 : two.abandoned), 0);
    });

    test("what a subscriber throws harms neither the publisher nor other subscribers", async () => {
      const seen: unknown[] = [];
      const failed = one.stats().failed;
      await using _a = await one.subscribe("live", () => {
        throw new Error("a page that is broken");
      });
      await using _b = await one.subscribe("live", ({ data }) => void seen.push(data));
      await one.publish("live", { topic: "image", data: 9 });
      await eventually("delivery", () => (seen.length === 1 ? true : undefined));
      assert.deepEqual(seen, [9]);
      await eventually("the failure is counted", () => (one.stats().failed === failed + 1 ? true : undefined));
    });

    test("work that is published before a worker is there is done when it comes", async () => {
      await one.publish("advisories.updated", { builtAt: 1 });
      const done: number[] = [];
      await using _worker = await two.work("advisories.updated", async ({ builtAt }) => void done.push(builtAt));
      await eventually("the work", () => (done.length === 1 ? true : undefined));
      assert.deepEqual(done, [1]);
    });

    test("work that fails too often is given up, counted, and does not hold up the rest", async () => {
      const before = one.stats();
      let tries = 0;
      const done: string[] = [];
      await using _worker = await one.work("image.reported", async ({ key }) => {
        if (key === "poison") {
          tries++;
          throw new Error("never");
        }
        done.push(key);
      });
      await one.publish("image.reported", { key: "poison" });
      await one.publish("image.reported", { key: "good" });
      await eventually("it is given up", () => (one.abandoned === before.abandoned + 1 ? true : undefined));
      assert.equal(tries, contractDelays.length + 1);
      assert.deepEqual(done, ["good"]);
      assert.equal(one.stats().failed, before.failed + tries);
    });

    test("it says that it is there", async () => {
      assert.equal(await one.ping(), true);
    });
  });
}
