import { mkdir } from "node:fs/promises";
import { join } from "node:path";
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
import { isLoopback } from "./http/host.ts";
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
  /** File of the advisory database; it may come later. */
  advisoryDatabase: string;
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

const jobs: Job[] = [selfCheck, watchAdvisories, matchReportedImage, matchEveryImage, retention];

/**
 * Starts the control plane. Raises `ServerError` when it cannot listen and `StoreError` when the database cannot be
 * opened; then nothing is left open.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, version } = options;
  const logger = options.logger ?? createLogger("server");
  const limits = { ...defaultLimits, ...options.limits };
  await using stack = new AsyncDisposableStack();

  await mkdir(config.data, { recursive: true, mode: 0o700 });
  const { database, nats } = config.server;
  const store = stack.use(
    await openStore(database === undefined ? { sqlite: join(config.data, "bulwark.db") } : { postgresql: database }),
  );
  const bus = stack.use(await openBus(nats === undefined ? {} : { nats }));
  const live = stack.use(await createLiveHub(bus, limits, logger));
  const matcher = stack.use(createMatcher(options.advisoryDatabase));
  const context: Context = {
    ...{ config, version, limits, logger, store, bus, live, matcher },
    advisoryDatabase: options.advisoryDatabase,
    health: createHealthBoard(store, live, limits),
    disk: createDiskGuard(config.data, store, limits.diskFloor),
    throttle: createThrottle(),
    secure: config.server.url?.startsWith("https:") ?? false,
  };

  stack.use(await startJobs(jobs, context));
  const app = await createApp(context, options.consoleDir);
  stack.defer(() => closeApp(app, limits));
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

function explain(error: unknown, address: string, port: number): unknown {
  const place = `${address}:${port}`;
  switch (systemCode(error)) {
    case "EADDRINUSE":
      return new ServerError("port-busy", `cannot listen on ${place}: another program already does`, {
        remedy: "stop that program, or set server.port in bulwark.yaml to another port (0 takes a free one)",
        cause: error,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new ServerError("address", `cannot listen on ${place}: this machine has no such address`, {
        remedy: `set server.address in bulwark.yaml to an address of this machine${isLoopback(address) ? "" : ", or 0.0.0.0 for all"}`,
        cause: error,
      });
    case "EACCES":
      return new ServerError("not-permitted", `cannot listen on ${place}: the system does not permit it`, {
        remedy: "set server.port in bulwark.yaml to a port above 1023",
        cause: error,
      });
    default:
      return error;
  }
}

/** Requests that are under way may finish; what does not within `closeTime` is cut. */
async function closeApp(app: FastifyInstance, limits: Limits): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), limits.closeTime);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}
