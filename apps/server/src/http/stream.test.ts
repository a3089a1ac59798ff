import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { eventually, sampleAlert, sampleContainer } from "@bulwark/testkit";

import { batchOf, post, refusal, startTestServer, type TestServer } from "../server.fixture.ts";
import { openPage } from "./page.fixture.ts";

async function sendAlert(server: TestServer, agent: Record<string, string>, n: number): Promise<void> {
  const batch = batchOf([{ type: "alert", alert: sampleAlert(n) }], { first: n });
  const response = await post(`${server.url}/api/agent/v1/records`, batch, agent);
  assert.equal(response.status, 200);
}

test("an alert is on the wire before its batch is acknowledged, and only asked topics come", async () => {
  await using server = await startTestServer();
  const agent = await server.agent();
  const page = await openPage(server, await server.login(), "alert");
  assert.equal((await page.next())?.event, "ready");

  const records = [
    { type: "container", container: sampleContainer(1) },
    { type: "alert", alert: sampleAlert(1) },
  ] as const;
  const sent = post(`${server.url}/api/agent/v1/records`, batchOf([...records]), agent);
  const message = await page.next();
  assert.equal(message?.event, "alert");
  const stored = await server.store.alerts.get(sampleAlert(1).id);
  assert.deepEqual(message?.data, stored, "what the page hears of is on disk");
  assert.equal((await sent).status, 200);
  page.close();
});

test("what happened again is told with the alert's total, at most once a second however often it comes", async () => {
  await using server = await startTestServer({ limits: { repeatNewsEvery: 1000 } });
  const agent = await server.agent();
  const page = await openPage(server, await server.login(), "alert,repeats");
  await page.next();
  const url = `${server.url}/api/agent/v1/records`;
  const { id, time } = sampleAlert(1);
  const again = (count: number) => ({ type: "repeats" as const, repeats: [{ alert: id, count, last: time + count }] });
  await post(url, batchOf([{ type: "alert", alert: sampleAlert(1) }, again(1)]), agent);
  assert.equal((await page.next())?.event, "alert");
  const first = await page.next();
  assert.deepEqual(first?.data, { repeats: [{ alert: id, count: 1, last: time + 1 }] }, "at once, and after the alert");
  const start = performance.now();
  let messages = 0;
  const batches = 40;
  for (let n = 0; n < batches; n++) await post(url, batchOf([again(2)], { first: 3 + n }), agent);
  const sent = performance.now() - start;
  for (let total = 1; total < 1 + batches * 2; messages++) {
    const { event, data } = (await page.next()) ?? assert.fail("the stream ended");
    assert.equal(event, "repeats");
    const [told] = (data as { repeats: { count: number }[] }).repeats;
    assert.ok(told && told.count > total, "no total is told twice");
    total = told.count;
  }
  assert.ok(messages <= 1 + Math.ceil(sent / 1000), `${messages} messages`);
  page.close();
});

test("a page that comes back gets exactly what it missed", async () => {
  await using server = await startTestServer();
  const headers = await server.login();
  const agent = await server.agent();
  const page = await openPage(server, headers, "alert");
  const ready = await page.next();
  await sendAlert(server, agent, 1);
  const first = await page.next();
  page.close();
  await sendAlert(server, agent, 2);
  await sendAlert(server, agent, 3);

  for (const [since, expected] of [
    [first?.id, [2, 3]],
    [ready?.id, [1, 2, 3]],
  ] as const) {
    const again = await openPage(server, { ...headers, "last-event-id": since ?? "" }, "alert");
    assert.equal((await again.next())?.event, "ready");
    const ids: unknown[] = [];
    for (const _ of expected) ids.push(((await again.next())?.data as { id: string } | undefined)?.id);
    assert.deepEqual(
      ids,
      expected.map((n) => sampleAlert(n).id),
    );
    again.close();
  }
});

test("a page that was away for too long, or knew another server, is told to fetch anew", async () => {
  await using server = await startTestServer({ limits: { streamKept: 2 } });
  const headers = await server.login();
  const agent = await server.agent();
  const page = await openPage(server, headers, "alert");
  await page.next();
  for (const n of [1, 2, 3, 4]) await sendAlert(server, agent, n);
  const first = await page.next();
  page.close();
  for (const since of [first?.id ?? "", "5", "other-7"]) {
    const again = await openPage(server, { ...headers, "last-event-id": since }, "alert");
    const message = await again.next();
    assert.equal(message?.event, "reset", since);
    assert.notEqual(message?.id, since, "the way on from here");
    again.close();
  }
});

test("a stopped container is told of when its node no longer lists it", async () => {
  await using server = await startTestServer();
  const agent = await server.agent();
  const url = `${server.url}/api/agent/v1/records`;
  await post(url, batchOf([{ type: "container", container: sampleContainer(1) }]), agent);
  const page = await openPage(server, await server.login(), "container");
  await page.next();
  await post(url, batchOf([{ type: "containers", node: "node-1", running: [] }], { first: 2 }), agent);
  assert.equal(((await page.next())?.data as { state: string } | undefined)?.state, "stopped");
  page.close();
});

test("an unknown topic or parameter is refused", async () => {
  await using server = await startTestServer();
  const headers = await server.login();
  for (const query of ["topics=alert,nonsense", "topic=alert", "topics="]) {
    assert.equal(await refusal(fetch(`${server.url}/api/v1/stream?${query}`, { headers })), "400 invalid", query);
  }
});

test("who logs out hears nothing more", async () => {
  await using server = await startTestServer({ limits: { streamHeartbeat: 20 } });
  const headers = await server.login();
  const page = await openPage(server, headers);
  await page.next();
  await server.client(headers).logout();
  await assert.rejects(async () => {
    while (await page.next());
  }, "the stream is cut");
});

test("a page that does not read is cut; others are not held up", async () => {
  await using server = await startTestServer({ limits: { streamWaiting: 50_000, streamHeartbeat: 60_000 } });
  const headers = await server.login();
  const agent = await server.agent();
  const { port, hostname } = new URL(server.url);
  const lazy = connect(Number(port), hostname);
  lazy.on("error", () => undefined);
  lazy.pause();
  lazy.write(`GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\ncookie: ${headers["cookie"] ?? ""}\r\n\r\n`);
  const page = await openPage(server, headers, "alert");
  await page.next();
  const read = async (): Promise<string> => {
    const token = { cookie: headers["cookie"] ?? "" };
    return (await fetch(`${server.url}/metrics`, { headers: token })).text();
  };
  await eventually("both are open", async () => (/^bulwark_stream_clients 2$/m.test(await read()) ? true : undefined));

  // What the kernel takes for a reader who does not read is some megabytes.
  const alert = sampleAlert(1);
  alert.process = alert.process && { ...alert.process, arguments: Array.from({ length: 250 }, () => "x".repeat(4096)) };
  let heard = 0;
  for (let n = 1; n <= 12; n++) {
    const batch = batchOf([{ type: "alert", alert: { ...alert, id: `node-1/boot/a-${n}` } }], { first: n });
    assert.equal((await post(`${server.url}/api/agent/v1/records`, batch, agent)).status, 200);
    if ((await page.next())?.event === "alert") heard++;
  }
  assert.equal(heard, 12);
  await eventually("the lazy one is cut", async () =>
    /stream_cut_total{reason="slow"} 1/.test(await read()) ? 1 : undefined,
  );
  page.close();
  lazy.destroy();
});

test("a page that goes at once is let go, whenever it goes", async () => {
  await using server = await startTestServer({ limits: { streamHeartbeat: 60_000 } });
  const headers = await server.login();
  const { port, hostname } = new URL(server.url);
  const cookie = headers["cookie"] ?? "";
  const goes = async (after: number): Promise<void> => {
    const page = connect(Number(port), hostname);
    page.on("error", () => undefined);
    await once(page, "connect");
    page.write(`GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\ncookie: ${cookie}\r\n\r\n`);
    await pause(after);
    page.destroy();
  };
  for (let turn = 0; turn < 100; turn++) await Promise.all([0, 0.5, 1, 2].map(goes));
  const read = async (): Promise<string> => (await fetch(`${server.url}/metrics`, { headers: { cookie } })).text();
  await eventually("nobody is counted", async () => /^bulwark_stream_clients 0$/m.test(await read()) || undefined);
});
