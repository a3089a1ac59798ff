import { streamTopics, type StreamTopic } from "@bulwark/contract";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Context } from "../context.ts";
import type { Frame } from "../live/ring.ts";
import { count } from "./figures.ts";
import { parseInput, Refusal } from "./problem.ts";
import { callerOf } from "./register.ts";

export const streamPath = "/api/v1/stream";

const query = z.strictObject({
  /** `alert,container`; every topic where it is absent. */
  topics: z
    .string()
    .max(128)
    .transform((text, context): StreamTopic[] => {
      const parsed = z.array(z.enum(streamTopics)).safeParse(text.split(","));
      if (parsed.success) return parsed.data;
      context.addIssue({ code: "custom", message: `of ${streamTopics.join(", ")}, separated by commas` });
      return z.NEVER;
    })
    .optional(),
});

/**
 * `GET /api/v1/stream`: server-sent events. Begins with `ready`, whose id is the point to resume from; a client that
 * comes back with `Last-Event-ID` gets what it missed, or `reset` when that is not known any more: fetch anew.
 */
export function registerStream(app: FastifyInstance, context: Context): void {
  const { limits, live } = context;
  const clients = new Set<() => void>();
  app.addHook("preClose", async () => {
    for (const end of clients) end();
  });

  app.get(streamPath, async (request, reply) => {
    await callerOf("read", request, context);
    const wanted = new Set<string>(parseInput(query, request.query, "query").topics ?? streamTopics);
    const since = lastEventId(request);
    if (clients.size >= limits.streamClients) {
      throw new Refusal("too-many", "too many pages are open", { status: 503, retryAfter: 30 });
    }

    reply.hijack();
    const { raw } = reply;
    const headers = { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" };
    raw.writeHead(200, { ...reply.getHeaders(), ...headers } as Record<string, string>);
    raw.socket?.setNoDelay(true);

    const heartbeat = setInterval(() => void beat(), limits.streamHeartbeat);
    const { missed, last, stop } = live.listen(forward, since);
    clients.add(end);
    count.streamClients.inc();
    raw.on("close", left);
    raw.on("error", left);
    // Who went while it was looked up who it is has left already, and is not told of again.
    if (raw.destroyed) return left();

    if (missed) {
      write(`id: ${since ?? last}\nevent: ready\ndata: {}\n\n`);
      for (const frame of missed) forward(frame);
    } else write(`id: ${last}\nevent: reset\ndata: {}\n\n`);

    function forward(frame: Frame): void {
      if (wanted.has(frame.topic)) write(frame.text);
    }

    function write(text: string): void {
      if (raw.destroyed) return;
      // What waits from before counts, not this message: a large one alone makes nobody slow.
      if (raw.writableLength > limits.streamWaiting) cut("slow");
      else raw.write(text);
    }

    /** Who logged out or whose token was revoked hears nothing more. */
    async function beat(): Promise<void> {
      write(": \n\n");
      try {
        await callerOf("read", request, context);
      } catch {
        cut("unauthorized");
      }
    }

    function cut(reason: "slow" | "unauthorized"): void {
      if (raw.destroyed) return;
      count.streamCut.inc({ reason });
      raw.destroy();
    }

    function end(): void {
      raw.end();
    }

    function left(): void {
      if (!clients.delete(end)) return;
      clearInterval(heartbeat);
      stop();
      count.streamClients.dec();
    }
  });
}

function lastEventId(request: FastifyRequest): string | undefined {
  const id = request.headers["last-event-id"];
  return typeof id === "string" && id !== "" ? id.slice(0, 128) : undefined;
}
