import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openBus, type Bus } from "@bulwark/bus";
import type { Config } from "@bulwark/config";
import { systemCode } from "@bulwark/model";
import { openStore, type Store } from "@bulwark/store";
import { createLogger, type Logger } from "@bulwark/telemetry";
import type { FastifyInstance } from "fastify";
import { addAgentToken } from "./auth/agent-token.ts";
import { addLoginLink } from "./auth/login.ts";
import { createThrottle } from "./auth/throttle.ts";
import type { Context } from "./context.ts";
import { ServerError } from "./error.ts";
import { createHealthBoard, type HealthReport } from "./health/board.ts";
import { createDiskGuard } from "./health/disk.ts";
import { createApp } from "./http/app.ts";
import { startJobs, type Job } from "./jobs/job.ts";
import { matchEveryImage } from "./jobs/match-all.ts";
import { matchReportedImage } from "./jobs/match-image.ts";
import { createMatcher } from "./jobs/matcher.ts";
import { retention } from "./jobs/retention.ts";
import { selfCheck } from "./jobs/self-check.ts";
import { watchAdvisories } from "./jobs/watch-advisories.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { createLiveHub } from "./live/hub.ts";

export interface ServerOptions {
  config: Config;
  /** Of Bulwark. */
  version: string;
  /** The built console. Without it `/` says how to build it. */
  consoleDir?: string | undefined;
  /** File of the advisory database, which may come later; `advisories.db` in the data folder by default. */
  advisoryDatabase?: string | undefined;
  logger?: Logger;
  /** Other bounds than the usual ones. */
  limits?: Partial<Limits>;
}

export interface RunningServer extends AsyncDisposable {
  /** Where this machine reaches it: `http://127.0.0.1:8443`. */
  readonly url: string;
  readonly store: Store;
  readonly bus: Bus;
  /**
   * A full address that logs `user` in once, within 15 minutes. `forgetPassword` takes a forgotten password away, so
   * that the person can set a new one.
   */
  createLoginLink(user?: string, options?: { forgetPassword?: boolean }): Promise<string>;
  /** A token for the agent of `node`, good for a year. The one that the node had before is revoked. */
  createAgentToken(node: string): Promise<string>;
  /** Shows the state of a part that lives in this process. */
  reportHealth(...reports: HealthReport[]): void;
  /** Ends open streams, finishes requests and jobs, closes the database. */
  close(): Promise<void>;
}

/** The workers before those who give them work. */
const createJobs = (): Job[] => [selfCheck, matchReportedImage, matchEveryImage, watchAdvisories(), retention];

/**
 * Starts the control plane. Raises `ServerError` when it cannot listen and `StoreError` when the database cannot be
 * opened; then nothing is left open.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, version } = options;
  const logger = options.logger ?? createLogger("server");
  const limits = { ...defaultLimits, ...options.limits };
  await using stack = new AsyncDisposableStack();
  const closing = new AbortController();

  await mkdir(config.data, { recursive: true, mode: 0o700 });
  const { database, nats } = config.server;
  const store = stack.use(
    await openStore(database === undefined ? { sqlite: join(config.data, "bulwark.db") } : { postgresql: database }),
  );
  const bus = stack.use(await openBus(nats === undefined ? {} : { nats }));
  const live = stack.use(await createLiveHub(bus, limits, logger));
  const advisoryDatabase = options.advisoryDatabase ?? join(config.data, "advisories.db");
  const matcher = stack.use(createMatcher(advisoryDatabase));
  const context: Context = {
    config,
    version,
    limits,
    logger,
    store,
    bus,
    live,
    matcher,
    advisoryDatabase,
    closing: closing.signal,
    health: createHealthBoard(store, live, limits),
    disk: createDiskGuard(config.data, store, limits.diskFloor),
    throttle: createThrottle(),
    secure: config.server.url?.startsWith("https:") ?? false,
  };

  stack.use(await startJobs(createJobs(), context));
  const app = await createApp(context, options.consoleDir);
  const busy = requestsUnderWay(app);
  stack.defer(() => closeApp(app, busy, limits));
  stack.defer(() => closing.abort());
  const url = await listen(app, config);
  context.health.report({ id: "api", state: "ok", summary: `Listens on ${url}` });
  logger.info({ url }, "the server listens");

  const open = stack.move();
  const base = config.server.url?.replace(/\/$/, "") ?? url;
  return {
    url,
    store,
    bus,
    async createLoginLink(user = "admin", { forgetPassword = false } = {}) {
      return `${base}/login#token=${await addLoginLink(user, context, { forgetPassword })}`;
    },
    createAgentToken: (node) => addAgentToken(node, context),
    reportHealth: (...reports) => reports.forEach((report) => context.health.report(report)),
    close: () => open.disposeAsync(),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function listen(app: FastifyInstance, config: Config): Promise<string> {
  const { address, port } = config.server;
  try {
    await app.listen({ host: address, port });
  } catch (error) {
    throw explain(error, address, port);
  }
  const bound = app.server.address();
  if (bound === null || typeof bound === "string") throw new Error("the server listens nowhere");
  return `http://${reachable(address)}:${bound.port}`;
}

/** A listener on every address is reached on loopback. */
function reachable(address: string): string {
  if (address === "0.0.0.0" || address === "localhost") return "127.0.0.1";
  if (address === "::") return "[::1]";
  return address.includes(":") ? `[${address}]` : address;
}

const refusals: Record<string, [code: ServerError["code"], what: string, remedy: string]> = {
  EADDRINUSE: [
    "port-busy",
    "another program already does",
    "stop that program, or set server.port in bulwark.yaml to another port (0 takes a free one)",
  ],
  EADDRNOTAVAIL: [
    "address",
    "this machine has no such address",
    "set server.address in bulwark.yaml to one of its addresses, or to 0.0.0.0 for all of them",
  ],
  EACCES: ["not-permitted", "the system does not permit it", "set server.port in bulwark.yaml to a port above 1023"],
};

function explain(error: unknown, address: string, port: number): unknown {
  const refusal = refusals[systemCode(error) ?? ""];
  if (!refusal) return error;
  const [code, what, remedy] = refusal;
  return new ServerError(code, `cannot listen on ${address}:${port}: ${what}`, { remedy, cause: error });
}

/**
 * Requests that are under way may finish; what does not within `closeTime` is cut. Connections without a request, such
 * as a browser opens ahead, are not waited for.
 */
async function closeApp(app: FastifyInstance, busy: Set<unknown>, limits: Limits): Promise<void> {
  const end = performance.now() + limits.closeTime;
  const closed = app.close();
  while (busy.size > 0 && performance.now() < end) await sleep(10);
  app.server.closeAllConnections();
  await closed;
}

/** The requests that have no answer yet. */
function requestsUnderWay(app: FastifyInstance): Set<unknown> {
  const busy = new Set<unknown>();
  app.server.on("request", (_request, response) => {
    busy.add(response);
    response.once("close", () => busy.delete(response));
  });
  return busy;
}
