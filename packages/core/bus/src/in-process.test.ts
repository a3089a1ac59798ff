import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@bulwark/testkit";
import { busContract, contractDelays } from "./contract.suite.ts";
import { BusError } from "./error.ts";
import { openBus } from "./open.ts";

busContract("in process", { skip: false, open: async () => openBus({ retryDelays: contractDelays }), replicas: false });

test("work without a worker is kept up to a bound, and then the publisher is told", async () => {
  await using bus = await openBus();
  const count = 10_000;
  for (let n = 0; n < count; n++) await bus.publish("image.reported", { key: String(n) });
  await assert.rejects(
    bus.publish("image.reported", { key: "too much" }),
    (error) => error instanceof BusError && error.code === "full",
  );
  let done = 0;
  await using _worker = await bus.work("image.reported", async () => void done++);
  await eventually("all of it is done", () => (done === count ? true : undefined));
});

test("live messages that come faster than they are handled are dropped and counted", async () => {
  await using bus = await openBus();
  let seen = 0;
  await using _page = await bus.subscribe("live", () => void seen++);
  const burst = Array.from({ length: 15_000 }, async (_, n) => bus.publish("live", { topic: "alert", data: n }));
  await Promise.all(burst);
  await eventually("the rest is delivered", () => (seen + bus.stats().dropped === burst.length ? true : undefined));
  assert.ok(bus.stats().dropped > 0);
  assert.ok(seen >= 10_000);
});
