import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "@bulwark/testkit";
import type { Bus } from "./bus.ts";

/** What both buses must do. `open` gives another replica's view of the same bus each time. */
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

    test("it says that it is there", async () => {
      assert.equal(await one.ping(), true);
    });
  });
}
