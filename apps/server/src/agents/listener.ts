import type { Server as HttpsServer } from "node:https";
import type { Authority } from "@bulwark/identity";
import { fastify, type FastifyInstance } from "fastify";
import type { Context } from "../context.ts";
import { handlers } from "../api/handlers.ts";
import { appOptions, guardApp } from "../http/app.ts";
import { register } from "../http/register.ts";
import { clusterExtra, ingestExtra } from "../http/batch.ts";

/** How often the listener's own certificate is looked at. It is made anew half-way through its time. */
const look = 3_600_000;

/**
 * Where agents of other machines connect: TLS 1.3 with the authority's certificates on both sides. A caller without one
 * may only join. What stands before it (a load balancer, an ingress) passes TLS through.
 */
export async function createAgentApp(
  context: Context,
  authority: Authority,
): Promise<{ app: FastifyInstance; stop: () => void }> {
  let own = await authority.issueServer(Date.now());
  const tls = (): { cert: string; key: string } => ({
    cert: `${own.certificate}\n${authority.certificate}\n`,
    key: own.key,
  });
  const app = fastify({
    ...appOptions(context),
    https: {
      ...tls(),
      ca: authority.certificate,
      minVersion: "TLSv1.3",
      requestCert: true,
      // Decided for each request: who joins has none yet.
      rejectUnauthorized: false,
      ...appOptions(context).http,
    },
  }) as unknown as FastifyInstance;
  guardApp(app, context);
  const extras = { ingest: ingestExtra(context.limits), putCluster: clusterExtra(context.limits) };
  register(app, handlers, context, extras, (route) => ["agent", "identity"].includes(route.tag));
  app.get("/healthz", async (_request, reply) => reply.type("text/plain").send("ok\n"));

  const timer = setInterval(() => {
    const left = own.expiresAt - Date.now();
    if (left > 45 * 24 * look) return;
    void authority.issueServer(Date.now()).then((fresh) => {
      own = fresh;
      (app.server as unknown as HttpsServer).setSecureContext({ ...tls(), ca: authority.certificate });
    });
  }, look).unref();
  return { app, stop: () => clearInterval(timer) };
}
