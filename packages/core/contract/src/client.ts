import type { Problem, RouteName, Routes } from "./routes.ts";
import type { Body, Params, Query, Response } from "./route.ts";

type Input<N extends RouteName> = Clean<{
  params: Params<Routes[N]>;
  query: Query<Routes[N]>;
  body: Body<Routes[N]>;
}>;
/** Drops the parts that a route does not have. */
type Clean<T> = { [K in keyof T as T[K] extends undefined ? never : K]: T[K] };
type Arguments<N extends RouteName> = keyof Input<N> extends never ? [] : [input: Input<N>];

/** Method and path of each route: all that a caller needs at run time, without the schemas. */
export type RouteTable = { [N in RouteName]: Pick<Routes[N], "method" | "path"> };

export type Client = {
  [N in RouteName]: (...input: Arguments<N>) => Promise<Response<Routes[N]>>;
};

export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem;
  constructor(status: number, problem: Problem) {
    super(problem.message);
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
  }
}

export interface ClientOptions {
  /** `http://127.0.0.1:8443`; empty in a browser. */
  base: string;
  /** Sent with every call: `authorization`, `x-csrf-token`. Asked at each call, so that it may change. */
  headers?: () => Record<string, string>;
  fetch?: typeof fetch;
  signal?: AbortSignal;
}

/**
 * A typed client of the API. Each route is a method by its name:
 *
 *     const api = createClient(table, { base: "http://127.0.0.1:8443" });
 *     const page = await api.listAlerts({ query: { severity: "critical,high" } });
 *
 * Throws {@link ApiError} for an answer that is not 2xx, and what `fetch` throws when there is none.
 */
export function createClient(table: RouteTable, options: ClientOptions): Client {
  const entries = Object.entries(table).map(([name, route]) => [
    name,
    (input: Partial<Record<"params" | "query" | "body", unknown>> = {}) => call(route, input, options),
  ]);
  return Object.fromEntries(entries) as Client;
}

async function call(
  route: { method: string; path: string },
  input: Partial<Record<"params" | "query" | "body", unknown>>,
  options: ClientOptions,
): Promise<unknown> {
  const headers: Record<string, string> = { accept: "application/json", ...options.headers?.() };
  const init: RequestInit = { method: route.method, headers };
  if (input.body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(input.body);
  }
  if (options.signal) init.signal = options.signal;
  const url = options.base + fillPath(route.path, input.params ?? {}) + queryString(input.query ?? {});
  const response = await (options.fetch ?? fetch)(url, init);
  if (response.status === 204) return undefined;
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new ApiError(response.status, asProblem(body, response.status));
  return body;
}

function fillPath(path: string, params: object): string {
  const values = params as Record<string, unknown>;
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
}

function queryString(query: object): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

function asProblem(body: unknown, status: number): Problem {
  if (typeof body === "object" && body !== null && "message" in body && "code" in body) return body as Problem;
  return { code: "internal", message: `the server answered ${status}` };
}
