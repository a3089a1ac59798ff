import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ApiError, type Client } from "@bulwark/contract";
import type { Container, OwnerRef } from "@bulwark/model";
import { sampleContainer } from "@bulwark/testkit";
import { batchOf, startTestServer, type TestServer } from "../server.fixture.ts";

describe("quarantine of a workload", () => {
  let server: TestServer;
  let person: Client;
  let first: Client;
  let second: Client;
  const wish = {
    ...{ cluster: "east", namespace: "shop", workload: "web", limitMs: 600_000, except: [] },
    ...{ onFailure: "open" as const, reason: "odd traffic" },
  };

  before(async () => {
    server = await startTestServer();
    person = server.client(await server.login());
    first = server.client(await server.agent("east/node-1"));
    second = server.client(await server.agent("east/node-2"));
    await tell(first, "node-1", container(1, "node-1"), container(2, "node-1", "db"));
    await tell(second, "node-2", container(3, "node-2"));
  });
  after(async () => server[Symbol.asyncDispose]());

  function container(number: number, node: string, name = "web"): Container {
    const owner: OwnerRef = { kind: "Deployment", apiVersion: "apps/v1", name, uid: name };
    const metadata = { labels: {}, owners: [owner], serviceAccount: "default" };
    const own = `${name}-${number}`;
    return sampleContainer(number, { node, pod: { namespace: "shop", name: own, uid: own, container: "c", metadata } });
  }
  async function tell(agent: Client, node: string, ...containers: Container[]): Promise<void> {
    const component = { id: "agent", node, state: "ok" as const, summary: "", reason: "", remedy: "", counters: {} };
    const records = containers.map((one) => ({ type: "container" as const, container: one }));
    const health = { type: "health" as const, components: [{ ...component, updatedAt: Date.now() }] };
    await agent.ingest({ body: batchOf([...records, health], { node, spool: node }) });
  }

  test("tried, every container of it on every node is asked, and nothing is kept", async () => {
    const { quarantine, tries, containers } = await person.quarantineWorkload({ body: { ...wish, dryRun: true } });
    assert.deepEqual([quarantine, containers, tries.length], [null, 2, 2]);
    for (const [agent, node] of [
      [first, "east/node-1"],
      [second, "east/node-2"],
    ] as const) {
      const { orders } = await agent.takeOrders({ body: { taken: [] } });
      const [one, ...more] = orders;
      assert.deepEqual(more, []);
      assert.ok(one?.order.kind === "act" && one.order.dryRun && one.order.action.kind === "quarantine");
      assert.ok(tries.some(({ id, node: asked }) => id === one.id && asked === node));
      await agent.takeOrders({ body: { taken: [one.id] } });
    }
    assert.deepEqual((await person.listWorkloadQuarantines({ query: {} })).items, []);
    assert.deepEqual((await first.readAgentSettings()).quarantines, []);
  });

  test("ordered, agents of its cluster are told at once, and no others; undone, they are told no more", async () => {
    const other = server.client(await server.agent("west/node-1"));
    const { settings: before } = await first.takeOrders({ body: { taken: [] } });
    const asking = first.takeOrders({ body: { taken: [] } });
    const { quarantine } = await person.quarantineWorkload({ body: { ...wish, dryRun: false } });
    assert.ok(quarantine);
    assert.deepEqual([quarantine.by, quarantine.until - quarantine.time], ["admin", wish.limitMs]);
    assert.notEqual((await asking).settings, before);
    assert.deepEqual((await first.readAgentSettings()).quarantines, [quarantine]);
    assert.deepEqual((await second.readAgentSettings()).quarantines, [quarantine]);
    assert.deepEqual((await other.readAgentSettings()).quarantines, []);
    assert.deepEqual((await person.listWorkloadQuarantines({ query: { cluster: "east" } })).items, [quarantine]);
    assert.deepEqual((await person.listWorkloadQuarantines({ query: { cluster: "west" } })).items, []);
    await assert.rejects(
      person.quarantineWorkload({ body: { ...wish, dryRun: false } }),
      /cut from the network already/,
    );

    const undone = await person.undoWorkloadQuarantine({ params: { id: quarantine.id } });
    assert.deepEqual(undone, quarantine);
    assert.deepEqual((await first.readAgentSettings()).quarantines, []);
    await assert.rejects(
      person.undoWorkloadQuarantine({ params: { id: quarantine.id } }),
      (error) => error instanceof ApiError && error.status === 404,
    );
    const { items } = await person.listAudit({ query: { limit: 10 } });
    assert.deepEqual(
      items
        .filter(({ action }) => action.startsWith("workload-quarantine"))
        .map(({ action, target }) => [action, target]),
      ["undo", "order", "try"].map((step) => [`workload-quarantine.${step}`, "east/shop/web"]),
    );
  });

  test("a name that nobody knows is a slip, and is refused", async () => {
    for (const dryRun of [true, false]) {
      const slip = person.quarantineWorkload({ body: { ...wish, workload: "wbe", dryRun } });
      await assert.rejects(slip, /there is no workload shop\/wbe in the cluster east/);
    }
    const reader = { ...wish, limitMs: 90_000_000, dryRun: true };
    await assert.rejects(person.quarantineWorkload({ body: reader }), /limitMs/);
  });

  test("one whose time is over is told to nobody", async () => {
    const { quarantine } = await person.quarantineWorkload({ body: { ...wish, limitMs: 1000, dryRun: false } });
    assert.ok(quarantine);
    await new Promise((resolve) => setTimeout(resolve, quarantine.until - Date.now() + 20));
    assert.deepEqual((await first.readAgentSettings()).quarantines, []);
    assert.deepEqual((await person.listWorkloadQuarantines({ query: {} })).items, []);
  });
});
