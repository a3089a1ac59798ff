import type { Server as HttpServer } from "node:http";
import cookie from "@fastify/cookie";
import { errorText } from "@bulwark/model";
import {
  fastify,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyHttpOptions,
} from "fastify";
import { handlers } from "../api/handlers.ts";
import type { Context } from "../context.ts";
import { clusterExtra, inflate, ingestExtra } from "./batch.ts";
import { serveConsole } from "./console.ts";
import { count } from "./figures.ts";
import { guardHost } from "./host.ts";
import { registerProbes } from "./probes.ts";
import { Refusal, sendRefusal, toRefusal } from "./problem.ts";
import { register } from "./register.ts";
import { securityHeaders } from "./security-headers.ts";
import { readTls } from "./tls.ts";
import { registerStream, streamPath } from "./stream.ts";

/** The HTTP side of the server; not listening yet. */
export async function createApp(context: Context, consoleFolder: string | undefined): Promise<FastifyInstance> {
  const options = appOptions(context);
  const tls = await readTls(context.config);
  const app =
    tls === undefined
      ? fastify(options)
      : (fastify({ ...options, https: { ...options.http, ...tls } }) as unknown as FastifyInstance);
  guardApp(app, context);

  const hostFits = guardHost(context);
  app.addHook("onRequest", async (request) => {
    if (!hostFits(request.headers.host)) {
      throw new Refusal("forbidden", "this server does not go by that name", {
        status: 421,
        remedy: "use localhost, or set server.url in bulwark.yaml to the name that people use",
      });
    }
    const site = request.headers["sec-fetch-site"];
    if (site === "cross-site" && request.method !== "GET" && request.method !== "HEAD") {
      throw new Refusal("forbidden", "a request from another site");
    }
  });

  await app.register(cookie);
  const batches = { bodyLimit: context.limits.batch, preParsing: inflate(context.limits.batch) };
  register(
    app,
    handlers,
    context,
    { ingest: ingestExtra(context.limits), putCluster: clusterExtra(context.limits), ingestAudit: batches },
    (route) => route.tag !== "identity",
  );
  registerStream(app, context);
  registerProbes(app, context);
  await serveConsole(app, consoleFolder);
  return app;
}

/** What every listener bounds and refuses. */
export function appOptions(context: Context) {
  const { limits, config } = context;
  return {
    logger: false,
    bodyLimit: limits.body,
    requestTimeout: limits.requestTime,
    keepAliveTimeout: 65_000,
    trustProxy: config.server.trustProxy.length === 0 ? false : config.server.trustProxy,
    // Images and alerts are named by long keys, three bytes for an escaped one.
    routerOptions: { maxParamLength: 4200 },
    http: {
      maxHeaderSize: limits.headers,
      headersTimeout: Math.min(limits.requestTime, 20_000),
      // How often Node looks for requests that are over their time.
      connectionsCheckingInterval: Math.min(limits.requestTime, 5000),
    },
    forceCloseConnections: "idle",
    return503OnClosing: true,
    onProtoPoisoning: "error",
    onConstructorPoisoning: "error",
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      void refuse(error, request, reply, context),
    clientErrorHandler: answerBrokenRequest,
  } satisfies FastifyHttpOptions<HttpServer>;
}

/** Headers, errors and counts of every listener. */
export function guardApp(app: FastifyInstance, context: Context): void {
  const { limits } = context;
  // Only JSON: a form of another site can send text/plain and form data, but not this.
  app.removeContentTypeParser("text/plain");
  // Notifications of registries, and CloudEvents of Harbor. No form of another site can send these either.
  for (const type of ["application/vnd.docker.distribution.events.v1+json", "application/cloudevents+json"]) {
    app.addContentTypeParser(type, { parseAs: "string" }, app.getDefaultJsonParser("error", "error"));
  }
  const headers = securityHeaders(context.secure);
  app.addHook("onRequest", async (request, reply) => {
    void reply.headers(headers);
    if (request.url.length > limits.url) throw new Refusal("invalid", "the address is too long", { status: 414 });
  });
  app.addHook("onResponse", async (request, reply) => note(request, reply, context));
  app.setErrorHandler((error, request, reply) => refuse(error, request, reply, context));
}

function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply, context: Context): FastifyReply {
  const refusal = toRefusal(error);
  if (refusal.status >= 500 && !(error instanceof Refusal)) {
    const stack = error instanceof Error ? error.stack : undefined;
    context.logger.error({ route: routeOf(request), reason: errorText(error), stack }, "a request failed");
  }
  return sendRefusal(reply, refusal);
}

/** The route's pattern, never the address: that may hold what nobody should read in a log. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? "none";
}

function note(request: FastifyRequest, reply: FastifyReply, context: Context): void {
  const route = routeOf(request);
  if (route === streamPath) return;
  const status = String(reply.statusCode);
  count.requests.observe({ method: request.method, route, status }, reply.elapsedTime / 1000);
  context.logger.debug({ method: request.method, route, status, ms: Math.round(reply.elapsedTime) }, "request");
}

/** What does not even parse as HTTP, or is too slow, gets an answer in the API's own form and the door. */
function answerBrokenRequest(error: Error & { code?: string }, socket: import("node:net").Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? (["408 Request Timeout", "the request took too long"] as const)
      : error.code === "HPE_HEADER_OVERFLOW"
        ? (["431 Request Header Fields Too Large", "the headers are too large"] as const)
        : (["400 Bad Request", "this is not HTTP"] as const);
  const body = JSON.stringify({ code: "invalid", message });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}
