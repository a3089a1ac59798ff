import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually, missing, startNats, type TestNats } from "@bulwark/testkit";
import { busContract } from "./contract.suite.ts";
import { openBus } from "./open.ts";

let server: TestNats | undefined;
after(async () => server?.[Symbol.asyncDispose]());

async function open(): ReturnType<typeof openBus> {
  server ??= await startNats();
  return openBus({ nats: server.url });
}

busContract("on NATS", { skip: missing("nats"), open, replicas: true });

test("a restart of NATS loses no work that was published", { skip: missing("nats") }, async () => {
  await using own = await startNats();
  await using bus = await openBus({ nats: own.url });
  for (const key of ["1", "2", "3"]) await bus.publish("image.reported", { key });
  await own.restart();
  const done = new Set<string>();
  const worker = await eventually("the bus is back", async () =>
    bus.work("image.reported", async ({ key }) => void done.add(key)),
  );
  await eventually("all work is done", () => (done.size === 3 ? true : undefined));
  await bus.publish("image.reported", { key: "4" });
  await eventually("work goes on", () => (done.has("4") ? true : undefined));
  await worker[Symbol.asyncDispose]();
});

test("a NATS that is not there is one clear error", async () => {
  await assert.rejects(openBus({ nats: "nats://user:secret@127.0.0.1:1" }), (error) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, /127\.0\.0\.1:1/);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});
