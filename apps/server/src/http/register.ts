import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import {
  routes,
  type Body,
  type Params,
  type Response,
  type Route,
  type RouteName,
  type Routes,
} from "@bulwark/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest, preParsingHookHandler } from "fastify";
import { z } from "zod";
import { authorize, plainAddress, type Caller } from "../auth/caller.ts";
import { sessionCookie } from "../auth/sessions.ts";
import type { Context } from "../context.ts";
import { parseInput } from "./problem.ts";

/** What a handler gets: checked input, who calls, and a way to set the caller's cookie. */
interface Call<N extends RouteName> {
  params: Params<Routes[N]>;
  query: Parsed<Routes[N]>;
  body: Body<Routes[N]>;
  caller: Caller;
  now: number;
  setCookie(header: string): void;
}
type Parsed<R extends Route> = R extends { query: infer Q extends z.ZodType } ? z.output<Q> : undefined;

type Handler<N extends RouteName> = (call: Call<N>, context: Context) => Promise<Response<Routes[N]>>;
/** One handler for every route: a route without one does not compile. */
export type Handlers = { [N in RouteName]: Handler<N> };
export type HandlersOf<Tag extends Routes[RouteName]["tag"]> = {
  [N in RouteName as Routes[N]["tag"] extends Tag ? N : never]: Handler<N>;
};

/** What a few routes need beyond their data. */
export interface Extra {
  bodyLimit?: number;
  preParsing?: preParsingHookHandler;
  /** Instead of the schema, where one call with everything would hold up the event loop. */
  parseBody?: (body: unknown) => Promise<unknown>;
}

declare module "fastify" {
  interface FastifyRequest {
    caller: Caller | null;
  }
}

/** Registers every route of the contract with its check of access, input and its handler. */
export function register(
  app: FastifyInstance,
  handlers: Handlers,
  context: Context,
  extras: Partial<Record<RouteName, Extra>>,
  /** Of which routes. */
  serves: (route: Route) => boolean,
): void {
  app.decorateRequest("caller", null);
  for (const name of Object.keys(routes) as RouteName[]) {
    if (!serves(routes[name])) continue;
    registerOne(app, routes[name], handlers[name] as AnyHandler, context, extras[name] ?? {});
  }
}
type AnyHandler = (call: unknown, context: Context) => Promise<unknown>;

function registerOne(app: FastifyInstance, route: Route, handler: AnyHandler, context: Context, extra: Extra): void {
  const params = route.params ?? z.strictObject({});
  const query = route.query ?? z.strictObject({});
  app.route({
    method: route.method,
    url: route.path.replaceAll(/\{(\w+)\}/g, ":$1"),
    bodyLimit: extra.bodyLimit ?? context.limits.body,
    ...(extra.preParsing && { preParsing: extra.preParsing }),
    // Before the body is read: a stranger cannot make the server take one in.
    onRequest: async (request) => {
      request.caller = await callerOf(route.access, request, context);
    },
    handler: async (request, reply) => {
      if (!request.caller) throw new Error(`${route.path}: no caller`);
      const answer = await handler(
        {
          params: parseInput(params, request.params, "params"),
          query: parseInput(query, request.query, "query"),
          body: await bodyOf(route, request.body, extra),
          caller: request.caller,
          now: Date.now(),
          setCookie: (header: string) => void reply.header("set-cookie", header),
        },
        context,
      );
      return send(reply, route, answer);
    },
  });
}

/** Who calls, when they may. */
export async function callerOf(access: Route["access"], request: FastifyRequest, context: Context): Promise<Caller> {
  const csrf = request.headers["x-csrf-token"];
  const credentials = {
    method: request.method,
    authorization: request.headers.authorization,
    // Where agents connect there are none.
    cookie: (request.cookies as typeof request.cookies | undefined)?.[sessionCookie],
    csrf: typeof csrf === "string" ? csrf : undefined,
    address: plainAddress(request.ip),
    certificate: clientCertificate(request.raw.socket),
  };
  return authorize(access, credentials, context.store, Date.now());
}

/** Only one that the listener's authority signed for this use; a socket without TLS has none. */
function clientCertificate(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  return socket.getPeerX509Certificate()?.fingerprint256.replaceAll(":", "").toLowerCase();
}

async function bodyOf(route: Route, body: unknown, extra: Extra): Promise<unknown> {
  if (!route.body) return undefined;
  return extra.parseBody ? extra.parseBody(body) : parseInput(route.body, body, "body");
}

function send(reply: FastifyReply, route: Route, answer: unknown): FastifyReply {
  void reply.header("cache-control", "no-store");
  return route.response ? reply.code(200).send(answer) : reply.code(204).send();
}
