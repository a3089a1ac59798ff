import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually, missing, startNats, type TestNats } from "@bulwark/testkit";
import { busContract, contractDelays } from "./contract.suite.ts";
import { openBus } from "./open.ts";

let server: TestNats | undefined;
after(async () => server?.[Symbol.asyncDispose]());

async function open(): ReturnType<typeof openBus> {
  server ??= await startNats();
  return openBus({ nats: server.url, retryDelays: contractDelays });
}

busContract("on NATS", { skip: missing("nats"), open, replicas: true });

test(
  "a restart of NATS loses no work that was published, and workers and pages go on",
  { skip: missing("nats") },
  async () => {
    await using own = await startNats();
    await using bus = await openBus({ nats: own.url });
    const done = new Set<string>();
    const seen: number[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    await using _worker = await bus.work("image.reported", async ({ key }) => {
      await held;
      done.add(key);
    });
    await using _page = await bus.subscribe("live", (_, id) => void seen.push(id));
    await bus.publish("live", { topic: "alert", data: 1 });
    await eventually("a live message", () => (seen.length === 1 ? true : undefined));
    for (const key of ["1", "2", "3"]) await bus.publish("image.reported", { key });
    await own.restart();
    release();
    await bus.publish("image.reported", { key: "4" });
    await eventually("all work is done", () => (done.size === 4 ? true : undefined), 60_000);
    await eventually("live messages flow", async () => {
      await bus.publish("live", { topic: "alert", data: 2 });
      return seen.length > 1 ? true : undefined;
    });
    assert.ok((seen.at(-1) ?? 0) > (seen[0] ?? 0), "ids grow through a restart");
    assert.equal(await bus.ping(), true);
  },
);

test("a NATS that is not there is one clear error", async () => {
  await assert.rejects(openBus({ nats: "nats://user:secret@127.0.0.1:1" }), (error) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, /127\.0\.0\.1:1/);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});
