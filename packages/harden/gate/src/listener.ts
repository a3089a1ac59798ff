import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdmissionRequest } from "@bulwark/admission";
import { errorText } from "@bulwark/model";
import { GateError } from "./error.ts";
import { readReview, writeReview, type AdmissionResponse } from "./review.ts";
import { routeOf, type Route } from "./webhooks.ts";

export interface ListenerLimits {
  /** Bytes of a review: an object and the one before, each at most what an API server takes. */
  readonly body: number;
  /** Reviews that are being read or judged; one more is sent away at once. */
  readonly atOnce: number;
  /** Milliseconds for an answer; less where the API server itself waits less. */
  readonly deadline: number;
}

export interface ListenerOptions {
  readonly limits: ListenerLimits;
  /** Certificate with its chain, and key. PEM. */
  readonly tls: { readonly cert: string; readonly key: string };
  /** True when there is something to judge by. */
  ready(): boolean;
  judge(route: Route, request: AdmissionRequest, deadline: number): Promise<AdmissionResponse>;
  /** A review had no verdict: the API server does by the failure policy of the call. */
  turnedAway(route: Route, why: "overload" | "too-large" | "unreadable" | "failed", reason: string): void;
}

/** The share of the API server's patience that is used: the answer has to travel too. */
const share = 0.8;

/**
 * The webhook's own listener, TLS 1.3 only. What it cannot judge is answered with an error, upon which the API server does
 * what the call's failure policy says: it is the one that knows it when nothing here does.
 */
export function createListener(options: ListenerOptions): Server {
  const { limits, tls, ready, turnedAway } = options;
  let under = 0;

  const server = createServer(
    {
      ...tls,
      minVersion: "TLSv1.3",
      maxHeaderSize: 16_384,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 5000,
    },
    (request, response) => {
      const { url = "", method } = request;
      if (method === "GET" && url === "/healthz") return end(response, 200, "ok\n", "text/plain");
      if (method === "GET" && url === "/readyz") {
        return end(response, ready() ? 200 : 503, ready() ? "ok\n" : "no policies have been read yet\n", "text/plain");
      }
      const route = method === "POST" ? routeOf(url) : undefined;
      if (!route) return refuse(request, response, 404, "there is no such address");
      if (under >= limits.atOnce) {
        turnedAway(route, "overload", `${under} reviews are under way`);
        return refuse(request, response, 503, "too many reviews at once");
      }
      under++;
      answer(route, request, response, options)
        .catch((error: unknown) => {
          turnedAway(route, "failed", errorText(error));
          refuse(request, response, 500, "the review failed");
        })
        .finally(() => under--);
    },
  );
  server.maxConnections = 1024;
  return server;
}

async function answer(
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
  { limits, judge, turnedAway }: ListenerOptions,
): Promise<void> {
  const deadline = performance.now() + Math.min(limits.deadline, patienceOf(request.url ?? ""));
  const body = await bodyOf(request, limits.body);
  if (body === null) {
    turnedAway(route, "too-large", `more than ${limits.body} bytes`);
    return refuse(request, response, 413, `a review has at most ${limits.body} bytes`);
  }
  let review: AdmissionRequest;
  try {
    review = readReview(JSON.parse(body));
  } catch (error) {
    turnedAway(route, "unreadable", errorText(error));
    const known = error instanceof GateError || error instanceof SyntaxError;
    return refuse(request, response, 400, known ? errorText(error) : "the review cannot be read");
  }
  end(response, 200, writeReview(await judge(route, review, deadline)), "application/json");
}

/** `?timeout=10s`, as API servers say it. */
function patienceOf(url: string): number {
  const seconds = /[?&]timeout=(\d{1,3})s/.exec(url)?.[1];
  return seconds === undefined ? Infinity : Number(seconds) * 1000 * share;
}

/** Null where it is longer. Raises when the caller goes away. */
async function bodyOf(request: IncomingMessage, limit: number): Promise<string | null> {
  if (Number(request.headers["content-length"] ?? 0) > limit) return null;
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const chunks: Buffer[] = [];
  let size = 0;
  request
    .on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) return void chunks.push(chunk);
      request.pause();
      resolve(null);
    })
    .on("end", () => {
      const [only = Buffer.alloc(0)] = chunks;
      resolve((chunks.length > 1 ? Buffer.concat(chunks, size) : only).toString("utf8"));
    })
    .on("error", reject)
    .on("close", () => {
      if (!request.readableEnded) reject(new Error("the caller went away"));
    });
  return promise;
}

/** What has not been read of the request is not: the connection ends with the answer. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return;
  if (!request.complete) response.setHeader("connection", "close");
  end(response, status, `${text}\n`, "text/plain");
}

function end(response: ServerResponse, status: number, body: string, type: string): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}
