import { openApiDocument } from "@bulwark/contract";
import { metrics } from "@bulwark/telemetry";
import type { FastifyInstance } from "fastify";
import { sameSecret } from "../auth/secrets.ts";
import type { Context } from "../context.ts";
import { callerOf } from "./register.ts";

/** What machines ask: is it alive, can it work, its figures, its API. */
export function registerProbes(app: FastifyInstance, context: Context): void {
  app.get("/healthz", async (_request, reply) => reply.type("text/plain").send("ok\n"));

  app.get("/readyz", async (_request, reply) => {
    const reasons = await notReady(context);
    if (reasons.length === 0) return reply.type("text/plain").send("ok\n");
    return reply
      .code(503)
      .type("text/plain")
      .send(`${reasons.join("\n")}\n`);
  });

  app.get("/metrics", async (request, reply) => {
    if (!isScraper(request.headers.authorization, context.metricsToken)) await callerOf("read", request, context);
    return reply.type(metrics.contentType).send(await metrics.metrics());
  });

  const document = JSON.stringify(openApiDocument(context.version));
  app.get("/api/openapi.json", async (_request, reply) => reply.type("application/json").send(document));
}

/** Who has the token of `server.metricsTokenFile`. */
function isScraper(authorization: string | undefined, token: string | undefined): boolean {
  return token !== undefined && authorization !== undefined && sameSecret(authorization, `Bearer ${token}`);
}

async function notReady({ store, bus }: Context): Promise<string[]> {
  const [database, messages] = await Promise.all([answers(store.ping()), answers(bus.ping())]);
  return [...(database ? [] : ["the database does not answer"]), ...(messages ? [] : ["the bus does not answer"])];
}

/** Silence for three seconds is no answer. */
async function answers(ping: Promise<boolean>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, 3000, false);
  try {
    return await Promise.race([ping, late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
