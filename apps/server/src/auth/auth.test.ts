import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { routes, type Route } from "@bulwark/contract";
import { sampleAlert, sampleEvent } from "@bulwark/testkit";
import { batchOf, logIn, post, refusal, startTestServer, type TestServer } from "../server.fixture.ts";
import { hashSecret } from "./secrets.ts";

describe("who may do what", () => {
  let server: TestServer;
  let person: Record<string, string>;
  let agent: Record<string, string>;
  const readToken = { authorization: "" };
  const writeToken = { authorization: "" };

  before(async () => {
    server = await startTestServer();
    person = await server.login();
    agent = await server.agent();
    const client = server.client(person);
    for (const [token, scope] of [
      [readToken, "read"],
      [writeToken, "write"],
    ] as const) {
      token.authorization = `Bearer ${(await client.createToken({ body: { name: scope, scope, days: 1 } })).secret}`;
    }
  });
  after(async () => server[Symbol.asyncDispose]());

  async function call(route: Route, headers: Record<string, string>): Promise<Response> {
    const path = route.path.replaceAll(/\{\w+\}/g, "x");
    if (route.method === "GET") return fetch(server.url + path, { headers });
    const type = { "content-type": "application/json" };
    return fetch(server.url + path, { method: route.method, headers: { ...type, ...headers }, body: "{}" });
  }

  const table = Object.entries(routes) as [string, Route][];
  const here = (entry: [string, Route]): boolean => entry[1].tag !== "identity";

  test("without credentials every route but the logins, and hooks with a secret of their own, refuses, before it reads the body", async () => {
    const guarded = table.filter(([, route]) => route.access !== "public").filter(here);
    assert.deepEqual(
      table.filter(([, route]) => route.access === "public").map(([name]) => name),
      ["loginWithLink", "loginWithPassword", "takeRegistryHook", "enrol"],
    );
    for (const [name, route] of guarded) {
      for (const headers of [{}, { cookie: "bulwark_session=made-up" }, { authorization: "Bearer blw_made_up" }]) {
        assert.equal(await refusal(call(route, headers)), "401 unauthenticated", name);
      }
    }
    for (const path of ["/api/v1/stream", "/metrics"]) {
      assert.equal(await refusal(fetch(server.url + path)), "401 unauthenticated", path);
    }
  });

  test("a read token is refused on every route that writes", async () => {
    for (const [name, route] of table.filter(here).filter(([, route]) => route.access === "write")) {
      assert.equal(await refusal(call(route, readToken)), "403 forbidden", name);
    }
    assert.equal((await fetch(`${server.url}/api/v1/alerts`, { headers: readToken })).status, 200);
  });

  test("an agent's token opens nothing but ingest, and nobody else opens that", async () => {
    for (const [name, route] of table
      .filter(here)
      .filter(([, { access }]) => access === "read" || access === "write")) {
      assert.equal(await refusal(call(route, agent)), "403 forbidden", name);
    }
    for (const headers of [readToken, writeToken, person]) {
      assert.equal(await refusal(call(routes.ingest, headers)), "403 forbidden");
    }
    assert.equal(await refusal(fetch(`${server.url}/api/v1/stream`, { headers: agent })), "403 forbidden");
  });

  test("a session without its CSRF token may read but not change", async () => {
    const { cookie = "" } = person;
    for (const [name, route] of table
      .filter(here)
      .filter(([, route]) => route.method !== "GET" && route.access !== "public")) {
      if (route.access === "agent") continue;
      for (const headers of [{ cookie }, { cookie, "x-csrf-token": "wrong" }]) {
        assert.equal(await refusal(call(route, headers)), "403 forbidden", name);
      }
    }
    assert.equal((await fetch(`${server.url}/api/v1/session`, { headers: { cookie } })).status, 200);
  });

  test("a token cannot make, revoke or outlive credentials", async () => {
    for (const [path, method, body] of [
      ["/api/v1/tokens", "POST", { name: "more", scope: "write", days: 365 }],
      ["/api/v1/tokens/x", "DELETE", undefined],
      ["/api/v1/session/password", "PUT", { password: "a long enough password" }],
    ] as const) {
      const type: Record<string, string> = body ? { "content-type": "application/json" } : {};
      const init = { method, headers: { ...writeToken, ...type }, ...(body && { body: JSON.stringify(body) }) };
      assert.equal(await refusal(fetch(server.url + path, init)), "403 forbidden", path);
    }
  });

  test("a token with one character changed is not a token", async () => {
    const last = readToken.authorization.at(-1) === "0" ? "1" : "0";
    const headers = { authorization: readToken.authorization.slice(0, -1) + last };
    assert.equal(await refusal(fetch(`${server.url}/api/v1/alerts`, { headers })), "401 unauthenticated");
  });

  test("a node speaks for itself only, in the batch and in each record", async () => {
    const url = `${server.url}/api/agent/v1/records`;
    const event = { type: "event", event: sampleEvent(1) } as const;
    assert.equal((await post(url, batchOf([event], { spool: "own" }), agent)).status, 200);
    const stranger = { type: "event", event: sampleEvent(2, { node: "node-2" }) } as const;
    const alert = { type: "alert", alert: sampleAlert(2, { node: "node-2" }) } as const;
    for (const batch of [
      batchOf([event], { node: "node-2" }),
      batchOf([event, stranger]),
      batchOf([alert]),
      batchOf([{ type: "containers", node: "node-2", running: [] }]),
    ]) {
      assert.equal(await refusal(post(url, batch, agent)), "403 forbidden");
    }
  });

  test("a node cannot move on another node's spool", async () => {
    const url = `${server.url}/api/agent/v1/records`;
    const far = batchOf([{ type: "event", event: sampleEvent(9, { node: "node-9", id: "node-9/boot/9" }) }], {
      node: "node-9",
      first: 1e6,
    });
    assert.equal((await post(url, { ...far, spool: "shared" }, await server.agent("node-9"))).status, 200);
    const own = batchOf([{ type: "event", event: sampleEvent(77) }], { spool: "shared" });
    assert.deepEqual(await (await post(url, own, agent)).json(), { stored: 1, settings: 0 });
    const events = await server.store.events.list({}, { limit: 500 });
    assert.ok(events.items.some(({ id }) => id === sampleEvent(77).id));
  });

  test("a new token for a node revokes the one before", async () => {
    const url = `${server.url}/api/agent/v1/records`;
    const before = await server.agent("node-3");
    const now = await server.agent("node-3");
    const batch = batchOf([{ type: "containers", node: "node-3", running: [] }], { node: "node-3" });
    assert.equal(await refusal(post(url, batch, before)), "401 unauthenticated");
    assert.equal((await post(url, batch, now)).status, 200);
  });
});

test("a login link works once, and not after its time", async () => {
  await using server = await startTestServer();
  const token = new URLSearchParams(new URL(await server.createLoginLink()).hash.slice(1)).get("token");
  const url = `${server.url}/api/v1/session/link`;
  const both = await Promise.all([post(url, { token }), post(url, { token })]);
  assert.deepEqual(both.map(({ status }) => String(status)).sort(), ["200", "401"]);

  await server.store.accounts.addLoginLink({ hash: hashSecret("late"), user: "admin", expiresAt: Date.now() - 1 });
  assert.equal(await refusal(post(url, { token: "late" })), "401 unauthenticated");
});

test("the session's cookie is out of reach of scripts and other sites", async () => {
  await using server = await startTestServer({
    yaml: "server: { port: 0, url: 'https://bulwark.example.com' }",
  });
  const link = await server.createLoginLink();
  assert.match(link, /^https:\/\/bulwark\.example\.com\/login#token=[\w-]{43}$/);
  const response = await post(`${server.url}/api/v1/session/link`, { token: link.split("=")[1] });
  const cookie = response.headers.getSetCookie()[0] ?? "";
  assert.match(cookie, /^bulwark_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+; Secure$/);
  assert.equal(response.headers.get("strict-transport-security"), "max-age=31536000");
});

test("secrets are at rest as hashes only", async () => {
  await using server = await startTestServer();
  const { cookie = "" } = await server.login();
  const { authorization = "" } = await server.agent();
  const tokens = await server.store.accounts.tokens();
  assert.equal(tokens[0]?.hash, hashSecret(authorization.replace("Bearer ", "")));
  assert.ok(await server.store.accounts.session(hashSecret(cookie.replace("bulwark_session=", "")), Date.now()));
});

test("wrong logins are slowed, audited, and do not lock out a link", async () => {
  await using server = await startTestServer();
  const person = server.client(await server.login());
  await person.setPassword({ body: { password: "correct horse battery" } });
  const url = `${server.url}/api/v1/session/password`;
  const answers: string[] = [];
  // The seventh has to wait a second; where checking a password takes as long as that, a later one has to wait longer.
  while (answers.length < 12 && answers.at(-1) !== "429 too-many") {
    answers.push(await refusal(post(url, { name: "admin", password: "wrong" })));
  }
  const tried = answers.length - 1;
  assert.ok(tried >= 6, answers.join());
  assert.deepEqual(answers, [...Array.from({ length: tried }, () => "401 unauthenticated"), "429 too-many"]);

  const right = await post(url, { name: "admin", password: "correct horse battery" });
  assert.equal(await refusal(right.clone()), "429 too-many", "the right password waits as well");
  assert.ok(Number(right.headers.get("retry-after")) >= 1);

  const { items } = await person.listAudit({ query: {} });
  const refused = items.filter(({ action }) => action === "login.refused");
  assert.equal(refused.length, tried, "slowed attempts do not fill the log");
  assert.deepEqual([refused[0]?.actor, refused[0]?.address], ["admin", "127.0.0.1"]);
  assert.deepEqual(await server.store.audit.verify(), { entries: items.length, brokenAt: null });
});

test("an unknown name is refused like a wrong password", async () => {
  await using server = await startTestServer();
  const url = `${server.url}/api/v1/session/password`;
  const unknown = await (await post(url, { name: "nobody", password: "wrong" })).text();
  await server.createLoginLink("admin");
  const withoutPassword = await (await post(url, { name: "admin", password: "" })).text();
  assert.equal(unknown, withoutPassword);
});

test("changing a password needs the old one and ends every other session", async () => {
  await using server = await startTestServer();
  const other = server.client(await server.login());
  const person = server.client(await server.login());
  await person.setPassword({ body: { password: "the first password" } });
  await assert.rejects(other.getSession(), { status: 401 });
  await assert.rejects(person.setPassword({ body: { password: "the second password" } }), { status: 403 });
  await person.setPassword({ body: { current: "the first password", password: "the second password" } });
  await assert.rejects(person.setPassword({ body: { password: "short" } }), { status: 400 });

  await server.createLoginLink("admin", { forgetPassword: true });
  await person.setPassword({ body: { password: "the third password" } });
  const body = { name: "admin", password: "the third password" };
  await logIn(server.url, "/api/v1/session/password", body);
});

test("a session slides with use, ends after its idle time, and never comes back after logout", async () => {
  await using server = await startTestServer();
  const headers = await server.login();
  const { accounts } = server.store;
  const hash = hashSecret((headers["cookie"] ?? "").split("=")[1] ?? "");
  const hour = 3_600_000;

  await accounts.extendSession(hash, Date.now() + hour);
  const { expiresAt } = await server.client(headers).getSession();
  assert.ok(expiresAt > Date.now() + 1.9 * hour, "a call moves the end on");
  await accounts.extendSession(hash, Date.now() - 1);
  await assert.rejects(server.client(headers).getSession(), { status: 401 });

  await accounts.deleteSession(hash);
  await accounts.extendSession(hash, Date.now() + hour);
  assert.equal(await accounts.session(hash, Date.now()), undefined);
});
