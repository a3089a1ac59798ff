import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { routes } from "@bulwark/contract";
import { sampleAlert, sampleEvent } from "@bulwark/testkit";
import { ServerError } from "./error.ts";
import { batchOf, post, refusal, startTestServer } from "./server.fixture.ts";

test("a busy port is said with what, where and how to mend", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    await assert.rejects(startTestServer({ yaml: `server: { port: ${port} }` }), (error) => {
      assert.ok(error instanceof ServerError);
      assert.equal(error.code, "port-busy");
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`));
      assert.match(error.remedy ?? "", /server\.port/);
      return true;
    });
  } finally {
    other.close();
  }
});

test("a failed start leaves nothing open: the next one on the same folder works", async () => {
  await using first = await startTestServer();
  const { port } = new URL(first.url);
  const folder = join(first.data, "second");
  await assert.rejects(startTestServer({ data: folder, yaml: `server: { port: ${port} }` }), { code: "port-busy" });
  await using second = await startTestServer({ data: folder });
  assert.equal((await fetch(`${second.url}/readyz`)).status, 200);
});

test("alive is not ready: without its database the server says so", async () => {
  await using server = await startTestServer({ limits: { healthEvery: 60_000 } });
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
  await server.store[Symbol.asyncDispose]();
  const ready = await fetch(`${server.url}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /database does not answer/);
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  // Whoever asks for data gets no inside view of the failure.
  const { status } = await fetch(`${server.url}/api/v1/alerts`, { headers: { cookie: "bulwark_session=x" } });
  assert.ok(status >= 500);
});

test("what was acknowledged is there after a restart; streams and jobs end with the server", async () => {
  await using server = await startTestServer();
  const headers = await server.login();
  const alert = { type: "alert", alert: sampleAlert(1) } as const;
  assert.equal((await post(`${server.url}/api/agent/v1/records`, batchOf([alert]), await server.agent())).status, 200);
  const stream = await fetch(`${server.url}/api/v1/stream`, { headers });
  const begun = performance.now();
  await server.close();
  assert.match(await stream.text(), /event: ready/, "the stream ends in order, not with a reset");
  assert.ok(performance.now() - begun < 4000, "nobody waited for the limit");

  await using again = await startTestServer({ data: server.data });
  const { items } = await again.client(await again.login()).listAlerts({ query: {} });
  assert.deepEqual(
    items.map(({ id }) => id),
    [sampleAlert(1).id],
  );
});

test("with too little room nothing is stored and nothing acknowledged, and health says so", async () => {
  await using server = await startTestServer({ limits: { diskFloor: 1e18 } });
  const url = `${server.url}/api/agent/v1/records`;
  const event = { type: "event", event: sampleEvent(1) } as const;
  assert.equal(await refusal(post(url, batchOf([event]), await server.agent())), "507 full");
  const client = server.client(await server.login());
  assert.deepEqual((await client.listEvents({ query: {} })).items, []);
  const database = (await client.getHealth()).components.find(({ id }) => id === "database");
  assert.equal(database?.state, "failed");
  assert.match(database?.remedy ?? "", /make room/);
  assert.ok((await client.getOverview()).troubles.some(({ id }) => id === "database"));
});

test("a node that has gone silent is not believed to be well", async () => {
  await using server = await startTestServer();
  const component = {
    id: "sensor",
    node: "node-1",
    state: "ok",
    summary: "watches",
    reason: "",
    remedy: "",
    counters: {},
    updatedAt: Date.now() - 600_000,
  } as const;
  await server.store.health.put([component]);
  const { components } = await server.client(await server.login()).getHealth();
  const sensor = components.find(({ id }) => id === "sensor");
  assert.equal(sensor?.state, "failed");
  assert.match(sensor?.reason ?? "", /nothing heard from node-1 for 10 minutes/);
});

test("a part of this process is shown with what it reports", async () => {
  await using server = await startTestServer();
  server.reportHealth({
    id: "demo",
    state: "off",
    summary: "no demo",
    reason: "not asked for",
    remedy: "bulwark demo",
  });
  const { components } = await server.client(await server.login()).getHealth();
  assert.equal(components.find(({ id }) => id === "demo")?.remedy, "bulwark demo");
});

test("the OpenAPI document has every route with its parameters, and refers to nothing that is not there", async () => {
  await using server = await startTestServer();
  const text = await (await fetch(`${server.url}/api/openapi.json`)).text();
  const document = JSON.parse(text) as {
    openapi: string;
    paths: Record<string, Record<string, { operationId: string; parameters: { name: string; in: string }[] }>>;
    components: { schemas: Record<string, unknown> };
  };
  assert.match(document.openapi, /^3\.1\./);
  for (const [name, route] of Object.entries(routes)) {
    const operation = document.paths[route.path]?.[route.method.toLowerCase()];
    assert.equal(operation?.operationId, name);
    const inPath = operation?.parameters
      .filter((parameter) => parameter.in === "path")
      .map((parameter) => parameter.name);
    assert.deepEqual(
      inPath,
      [...route.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter),
    );
  }
  for (const [, reference] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
    assert.ok(document.components.schemas[reference ?? ""], reference);
  }
});

test("metrics count what was done, by route and not by address", async () => {
  await using server = await startTestServer();
  const { cookie = "" } = await server.login();
  await fetch(`${server.url}/api/v1/containers/very-secret-name`, { headers: { cookie } });
  const text = await (await fetch(`${server.url}/metrics`, { headers: { cookie } })).text();
  assert.match(
    text,
    /bulwark_http_request_seconds_count{method="GET",route="\/api\/v1\/containers\/:id",status="404"} \d/,
  );
  assert.match(text, /bulwark_store_bytes [1-9]/);
  assert.doesNotMatch(text, /very-secret-name/);
});

test("without a built console the start page says how to build it", async () => {
  await using server = await startTestServer();
  const page = await fetch(server.url);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /npm run build --workspace @bulwark\/console/);
});

test("the console: its pages by address, assets for good, compressed where Vite did, and nothing else", async () => {
  await using outer = await startTestServer();
  const folder = join(outer.data, "dist");
  await mkdir(join(folder, "assets"), { recursive: true });
  await writeFile(join(folder, "index.html"), "<!doctype html><title>console</title>");
  await writeFile(join(folder, "assets/app-1a2b3c.js"), "console.log('plain')");
  await writeFile(join(folder, "assets/app-1a2b3c.js.br"), "brotli");
  await writeFile(join(outer.data, "secret.txt"), "secret");
  await using server = await startTestServer({ consoleDir: folder });

  const html = { accept: "text/html" };
  for (const path of ["/", "/login", "/alerts/node-1%2Fboot%2F1?tab=x", "/images/web@sha256:0"]) {
    const page = await fetch(server.url + path, { headers: html });
    assert.match(await page.text(), /<title>console/, path);
    assert.equal(page.headers.get("cache-control"), "no-cache", path);
    assert.match(page.headers.get("content-security-policy") ?? "", /script-src 'self'/);
  }
  const asset = await fetch(`${server.url}/assets/app-1a2b3c.js`, { headers: { "accept-encoding": "identity" } });
  assert.equal(await asset.text(), "console.log('plain')");
  assert.match(asset.headers.get("cache-control") ?? "", /immutable/);
  assert.match(asset.headers.get("content-type") ?? "", /javascript/);
  const small = await fetch(`${server.url}/assets/app-1a2b3c.js`, {
    method: "HEAD",
    headers: { "accept-encoding": "br" },
  });
  assert.equal(small.headers.get("content-encoding"), "br");
  assert.match(small.headers.get("vary") ?? "", /accept-encoding/i);

  assert.equal(await refusal(fetch(`${server.url}/assets/none.js`)), "404 not-found");
  assert.equal(await refusal(fetch(`${server.url}/api/v1/none`, { headers: html })), "404 not-found");
  assert.equal(await refusal(fetch(`${server.url}/..%2fsecret.txt`)), "404 not-found");
});
