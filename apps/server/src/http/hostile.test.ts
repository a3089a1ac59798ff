import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { sampleEvent } from "@bulwark/testkit";
import { batchOf, post, refusal, startTestServer, type TestServer } from "../server.fixture.ts";

describe("hostile input", () => {
  let server: TestServer;
  let person: Record<string, string>;
  let agent: Record<string, string>;
  before(async () => {
    server = await startTestServer({ limits: { body: 10_000, batch: 200_000, requestTime: 1500 } });
    person = await server.login();
    agent = await server.agent();
  });
  after(async () => server[Symbol.asyncDispose]());

  const get = async (path: string, headers = person): Promise<Response> => fetch(server.url + path, { headers });

  test("unknown parameters and fields are refused, on every kind of route", async () => {
    for (const path of ["/api/v1/alerts?colour=red", "/api/v1/overview?x=1", "/api/v1/session?a=b"]) {
      assert.equal(await refusal(get(path)), "400 invalid", path);
    }
    const url = `${server.url}/api/v1/tokens`;
    const body = { name: "x", scope: "read", days: 1, admin: true };
    assert.equal(await refusal(post(url, body, person)), "400 invalid");
    const record = { type: "event", event: { ...sampleEvent(1), extra: 1 } };
    const batch = { ...batchOf([]), records: [record] };
    const answer = await post(`${server.url}/api/agent/v1/records`, batch, agent);
    assert.match(((await answer.clone().json()) as { message: string }).message, /^body\.records\.0\./);
    assert.equal(await refusal(answer), "400 invalid");
  });

  test("values out of their range are refused", async () => {
    for (const query of ["limit=0", "limit=501", "limit=x", "severity=awful", "state=gone", "since=-1", "cursor=abc"]) {
      assert.equal(await refusal(get(`/api/v1/alerts?${query}`)), "400 invalid", query);
    }
    assert.equal(await refusal(get(`/api/v1/alerts?cursor=${"a".repeat(600)}`)), "400 invalid");
    assert.equal(await refusal(get("/api/v1/alerts?limit=1&limit=2")), "400 invalid");
  });

  test("a body that is too large, broken or of another type is refused", async () => {
    const url = `${server.url}/api/v1/tokens`;
    assert.equal(await refusal(post(url, { name: "x".repeat(20_000) }, person)), "413 invalid");
    const send = async (body: string, type: string): Promise<string> =>
      refusal(fetch(url, { method: "POST", body, headers: { ...person, "content-type": type } }));
    assert.equal(await send("{", "application/json"), "400 invalid");
    assert.equal(await send("", "application/json"), "400 invalid");
    assert.equal(await send('{"__proto__": {"scope": "write"}}', "application/json"), "400 invalid");
    assert.equal(await send('{"name":"x","scope":"read","days":1}', "text/plain"), "415 invalid");
    assert.equal(await send("name=x", "application/x-www-form-urlencoded"), "415 invalid");
  });

  test("a batch may be compressed; what it inflates to is bounded", async () => {
    const url = `${server.url}/api/agent/v1/records`;
    const batch = (spool: string): Buffer =>
      Buffer.from(JSON.stringify(batchOf([{ type: "event", event: sampleEvent(1) }], { spool })));
    const send = async (body: Buffer<ArrayBuffer>, encoding: string): Promise<Response> =>
      fetch(url, {
        method: "POST",
        body,
        headers: { ...agent, "content-type": "application/json", "content-encoding": encoding },
      });
    assert.equal((await send(gzipSync(batch("gzip")), "gzip")).status, 200);
    assert.equal((await send(zstdCompressSync(batch("zstd")), "zstd")).status, 200);

    const bomb = Buffer.from(JSON.stringify({ ...batchOf([]), pad: "0".repeat(30e6) }));
    assert.equal(await refusal(send(gzipSync(bomb), "gzip")), "413 invalid");
    assert.equal(await refusal(send(zstdCompressSync(bomb), "zstd")), "413 invalid");
    assert.equal(await refusal(send(Buffer.from("this is not gzip"), "gzip")), "400 invalid");
    assert.equal(await refusal(send(gzipSync(batch("cut")).subarray(0, -12), "gzip")), "400 invalid");
    assert.equal(await refusal(send(gzipSync(batch("br")), "br")), "415 invalid");
    assert.equal(await refusal(send(gzipSync(batch("two")), "gzip, gzip")), "415 invalid");
  });

  test("a request for another name is refused: a rebound name of another site", async () => {
    const answer = await raw("GET /api/openapi.json HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 421 /);
    for (const host of ["localhost", "127.0.0.1:80", "[::1]:1", "LOCALHOST:8443"]) {
      const fine = await raw(`GET /healthz HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
      assert.match(fine, /^HTTP\/1\.1 200 /, host);
    }
  });

  test("a write that a browser sends from another site is refused", async () => {
    const headers = { ...person, "sec-fetch-site": "cross-site" };
    assert.equal(await refusal(post(`${server.url}/api/v1/session/link`, { token: "x" }, headers)), "403 forbidden");
  });

  test("every answer carries the headers that keep a browser safe, and none that open it", async () => {
    for (const path of ["/", "/healthz", "/api/v1/session", "/nothing/here", "/api/v1/none"]) {
      const { headers } = await get(path, {});
      assert.match(headers.get("content-security-policy") ?? "", /script-src 'self';.*frame-ancestors 'none'/, path);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("referrer-policy"), "no-referrer");
      assert.equal(headers.get("access-control-allow-origin"), null);
    }
    assert.equal((await get("/api/v1/alerts")).headers.get("cache-control"), "no-store");
  });

  test("long addresses, large headers and what is not HTTP get an answer, and no more", async () => {
    assert.equal(await refusal(get(`/api/v1/alerts?q=${"a".repeat(9000)}`)), "414 invalid");
    const end = "\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert.match(await raw(`GET /healthz HTTP/1.1\r\nx: ${"a".repeat(20_000)}${end}`), /^HTTP\/1\.1 431 /);
    assert.match(await raw("\x16\x03\x01 this is TLS\r\n\r\n"), /^HTTP\/1\.1 400 /);
    assert.match(await raw(`GET /api/v1/alerts/%ff%zz HTTP/1.1${end}`), /^HTTP\/1\.1 40[04] .*"code"/s);
    assert.match(await raw(`GET /../../etc/passwd HTTP/1.1${end}`), /^HTTP\/1\.1 404 /);
  });

  test("who sends too slowly is cut off", async () => {
    const begun = performance.now();
    const slow = `POST /api/v1/session/link HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\ncontent-type: application/json\r\n\r\n{`;
    assert.match(await raw(slow), /^HTTP\/1\.1 408 /);
    assert.ok(performance.now() - begun < 60_000);
  });

  /** Sends bytes as they are and returns all that comes back until the connection ends. */
  async function raw(text: string): Promise<string> {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(text, "latin1");
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  }
});
