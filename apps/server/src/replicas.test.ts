import assert from "node:assert/strict";
import { test } from "node:test";
import {
  eventually,
  missing,
  sampleAlert,
  sampleContainer,
  sampleReport,
  startNats,
  startPostgres,
} from "@bulwark/testkit";
import { openPage } from "./http/page.fixture.ts";
import { batchOf, post, startTestServer } from "./server.fixture.ts";

test("two replicas on PostgreSQL and NATS are one server", { skip: missing("postgresql", "nats") }, async () => {
  await using postgres = await startPostgres();
  await using nats = await startNats();
  const yaml = `server: { port: 0, database: "${postgres.url}", nats: "${nats.url}" }`;
  await using one = await startTestServer({ yaml });
  await using two = await startTestServer({ yaml });

  // Who logged in at one is logged in at the other, and an agent may talk to either.
  const headers = await one.login();
  const agent = await one.agent();
  const page = await openPage(two, headers, "alert");
  await page.next();
  const send = async (url: string, n: number): Promise<void> => {
    const batch = batchOf([{ type: "alert", alert: sampleAlert(n) }], { first: n });
    assert.equal((await post(`${url}/api/agent/v1/records`, batch, agent)).status, 200);
  };
  await send(one.url, 1);
  const heard = await page.next();
  assert.equal((heard?.data as { id: string } | undefined)?.id, sampleAlert(1).id);
  page.close();

  // A page that the load balancer sends elsewhere goes on where it was.
  await send(two.url, 2);
  const other = await eventually("the other replica has heard of it", async () => {
    const again = await openPage(one, { ...headers, "last-event-id": heard?.id ?? "" }, "alert");
    if ((await again.next())?.event === "ready") return again;
    again.close();
    return undefined;
  });
  assert.equal(((await other.next())?.data as { id: string } | undefined)?.id, sampleAlert(2).id);
  other.close();

  // Sent again to the other replica, a batch is stored once.
  await send(two.url, 1);
  await send(one.url, 2);
  const client = two.client(headers);
  assert.equal((await client.listAlerts({ query: {} })).items.length, 2);

  const records = [
    { type: "container", container: sampleContainer(1, { privileged: true }) },
    { type: "image", report: sampleReport(1) },
  ] as const;
  const assets = batchOf([...records], { first: 3 });
  assert.equal((await post(`${two.url}/api/agent/v1/records`, assets, agent)).status, 200);
  const { components } = await client.getHealth();
  assert.match(components.find(({ id }) => id === "database")?.summary ?? "", /^PostgreSQL/);
  assert.match(components.find(({ id }) => id === "bus")?.summary ?? "", /^NATS/);
  assert.deepEqual((await client.getOverview()).containers, { running: 1, privileged: 1 });
  await client.listImages({ query: {} });
});
