import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "@bulwark/config";
import { createClient, routes, type Client, type Route, type RouteName } from "@bulwark/contract";
import type { AgentRecord, Batch } from "@bulwark/model";
import { createLogger } from "@bulwark/telemetry";
import type { Limits } from "./limits.ts";
import { startServer, type RunningServer } from "./server.ts";

export interface TestServer extends RunningServer {
  data: string;
  /** A client whose every answer is held against the contract: nothing missing, nothing more. */
  client(headers?: Record<string, string>): Client;
  /** Headers of a person who has just logged in. */
  login(user?: string): Promise<Record<string, string>>;
  /** Headers of an agent of `node`. */
  agent(node?: string): Promise<Record<string, string>>;
  /** Routes that were answered with 2xx through `client`. */
  answered: Set<RouteName>;
}

/** A server with an SQLite store in a folder of its own, on a free port. Disposing it removes the folder. */
export async function startTestServer(
  options: { limits?: Partial<Limits>; yaml?: string; consoleDir?: string; data?: string; agents?: boolean } = {},
): Promise<TestServer> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), "bulwark-server-")));
  const config = { ...parseConfig(options.yaml ?? "server: { port: 0 }", "test.yaml"), data };
  const logger = createLogger("test");
  logger.level = process.env["BULWARK_LOG"] ?? "silent";
  const { consoleDir, limits = {}, agents = false } = options;
  const server = await startServer({ config, version: "0.0.0-test", logger, consoleDir, limits, agents });
  const answered = new Set<RouteName>();
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(data, { recursive: true, force: true });
    },
    data,
    answered,
    client: (headers = {}) =>
      createClient(routes, { base: server.url, headers: () => headers, fetch: checked(answered) }),
    async login(user) {
      const link = new URL(await server.createLoginLink(user));
      const token = new URLSearchParams(link.hash.slice(1)).get("token");
      return logIn(server.url, "/api/v1/session/link", { token });
    },
    async agent(node = "node-1") {
      return { authorization: `Bearer ${await server.createAgentToken(node)}` };
    },
  };
}

/** Logs in and returns the headers that a browser would send from then on. */
export async function logIn(url: string, path: string, body: unknown): Promise<Record<string, string>> {
  const response = await post(url + path, body);
  assert.equal(response.status, 200, await response.clone().text());
  const cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const { csrf } = (await response.json()) as { csrf: string };
  return { cookie, "x-csrf-token": csrf };
}

export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const type = { "content-type": "application/json" };
  return fetch(url, { method: "POST", headers: { ...type, ...headers }, body: JSON.stringify(body) });
}

export function batchOf(records: AgentRecord[], change: Partial<Batch> = {}): Batch {
  return { node: "node-1", spool: "spool-1", first: 1, records, ...change };
}

/** Status and problem of a refused call. */
export async function refusal(response: Response | Promise<Response>): Promise<string> {
  const answer = await response;
  const body = (await answer.json()) as { code: string; message: string };
  assert.ok(body.message.length > 0);
  assert.doesNotMatch(JSON.stringify(body), /node_modules|\.ts:\d/, "an answer shows the inside");
  return `${answer.status} ${body.code}`;
}

function checked(answered: Set<RouteName>): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.ok) return response;
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    const [name, route] = routeOf(init?.method ?? "GET", pathname);
    if (route.response) {
      const body: unknown = await response.clone().json();
      assert.deepEqual(route.response.parse(body), body, `${name} answers what its schema does not have`);
    } else assert.equal(response.status, 204);
    answered.add(name);
    return response;
  };
}

function routeOf(method: string, path: string): [RouteName, Route] {
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    const pattern = new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    if (route.method === method && pattern.test(path)) return [name, route];
  }
  throw new Error(`no route ${method} ${path}`);
}
