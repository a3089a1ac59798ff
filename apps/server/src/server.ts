import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openBus, type Bus } from "@bulwark/bus";
import { readSecret, type Config } from "@bulwark/config";
import { errorText, systemCode } from "@bulwark/model";
import { openStore, type AgentCertificate, type Store } from "@bulwark/store";
import { createLogger, type Logger } from "@bulwark/telemetry";
import type { FastifyInstance } from "fastify";
import { createPolicyBook } from "./admission/book.ts";
import { startWebhook } from "./admission/webhook.ts";
import { loadAuthority } from "./agents/authority.ts";
import type { AgentGate } from "./agents/gate.ts";
import { addJoinToken, joinsByToken, revoke, type JoinTokenOptions } from "./agents/join.ts";
import { createAgentApp } from "./agents/listener.ts";
import { createServiceAccounts, type ServiceAccounts } from "./agents/service-accounts.ts";
import { createOrderBell, expireOrders } from "./agents/orders.ts";
import { createAgentSettings } from "./agents/settings.ts";
import { addAgentToken } from "./auth/agent-token.ts";
import { addLoginLink } from "./auth/login.ts";
import { createThrottle } from "./auth/throttle.ts";
import type { Context } from "./context.ts";
import { ServerError } from "./error.ts";
import { alone, createHealthBoard, type HealthReport } from "./health/board.ts";
import { createDiskGuard } from "./health/disk.ts";
import { createApp } from "./http/app.ts";
import { startJobs, type Job } from "./jobs/job.ts";
import { listRegistries } from "./jobs/list-registries.ts";
import { checkClusters } from "./jobs/check-clusters.ts";
import { judgeRunning } from "./jobs/judge-running.ts";
import { matchEveryImage } from "./jobs/match-all.ts";
import { matchReportedImage } from "./jobs/match-image.ts";
import { createMatcher } from "./jobs/matcher.ts";
import { prepareNetwork } from "./jobs/prepare-network.ts";
import { noteTrend } from "./jobs/note-trend.ts";
import { retention } from "./jobs/retention.ts";
import { scanRegistries } from "./jobs/scan-registries.ts";
import { selfCheck } from "./jobs/self-check.ts";
import { undoNetworkPolicies } from "./jobs/undo-network-policies.ts";
import { watchAdvisories } from "./jobs/watch-advisories.ts";
import { createAuditAlerts } from "./kubernetes/audit-alerts.ts";
import { keepClusters } from "./kubernetes/keep.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { createFlowNews } from "./live/flow-news.ts";
import { createLiveHub } from "./live/hub.ts";
import { createRepeatNews } from "./live/repeat-news.ts";
import { createPolicyReader } from "./network/cluster-policies.ts";
import { createClaims } from "./network/claims.ts";
import { createInventories } from "./network/inventories.ts";
import { createSealing } from "./registries/sealing.ts";

export interface ServerOptions {
  config: Config;
  /** Of Bulwark. */
  version: string;
  /** The built console. Without it `/` says how to build it. */
  consoleDir?: string | undefined;
  /** File of the advisory database, which may come later; `advisories.db` in the data folder by default. */
  advisoryDatabase?: string | undefined;
  logger?: Logger;
  /** Listens for agents of other machines, where `server.agents` does not ask for it too. */
  agents?: boolean;
  /** Other bounds than the usual ones. */
  limits?: Partial<Limits>;
}

export interface RunningServer extends AsyncDisposable {
  /** Where this machine reaches it: `http://127.0.0.1:8443`. */
  readonly url: string;
  /** Where agents of other machines connect: `https://127.0.0.1:8444`; null where they cannot. */
  readonly agentsUrl: string | null;
  /** Where the admission webhook listens here; null where it is off. */
  readonly webhookUrl: string | null;
  readonly store: Store;
  readonly bus: Bus;
  /**
   * A full address that logs `user` in once, within 15 minutes. `forgetPassword` takes a forgotten password away, so
   * that the person can set a new one.
   */
  createLoginLink(user?: string, options?: { forgetPassword?: boolean }): Promise<string>;
  /** A token for the agent of this very machine, as the node `node`, good for a year. The one that the node had before is revoked. */
  createAgentToken(node: string): Promise<string>;
  /** A token with which agents of other machines join. Throws where they cannot connect. */
  createJoinToken(options: JoinTokenOptions): Promise<{ token: string; expiresAt: number }>;
  listAgents(): Promise<AgentCertificate[]>;
  /** How many certificates of the node's agent were revoked; `east/worker-1` where its cluster is not `default`. */
  revokeAgent(node: string): Promise<number>;
  /** Shows the state of a part that lives in this process. */
  reportHealth(...reports: HealthReport[]): void;
  /** Ends open streams, finishes requests and jobs, closes the database. */
  close(): Promise<void>;
}

/** The workers before those who give them work. */
const createJobs = (): Job[] => [
  selfCheck,
  matchReportedImage,
  matchEveryImage,
  watchAdvisories(),
  listRegistries,
  scanRegistries,
  noteTrend,
  retention,
  expireOrders,
  checkClusters(),
  judgeRunning(),
  undoNetworkPolicies,
  prepareNetwork,
];

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
  const forAgents = options.agents === true || config.server.agents !== undefined;
  const secret = readSecret("BULWARK_KEY", config.server.keyFile);
  const gate = forAgents ? await loadAuthority(store, secret) : null;
  const replica = memberName(config);
  const orderBell = stack.use(await createOrderBell(bus));
  const holder = randomUUID();
  const sealing = createSealing(secret, config.data, store.engine);
  const agentSettings = createAgentSettings(store);
  const health = createHealthBoard(replica, store, live, limits);
  const context: Context = {
    replica,
    holder,
    policies: createPolicyBook({ config, store, holder, sealing }),
    webhook: null,
    gate,
    serviceAccounts: gate && config.server.agents?.serviceAccount ? accountsOf(config, stack) : null,
    agentSettings,
    auditAlerts: stack.use(createAuditAlerts({ config, store, agentSettings, health, logger })),
    orderBell,
    metricsToken: readSecret("BULWARK_METRICS_TOKEN", config.server.metricsTokenFile),
    config,
    version,
    limits,
    logger,
    store,
    bus,
    live,
    flowNews: stack.use(createFlowNews(live, limits.flowNewsEvery)),
    repeatNews: stack.use(createRepeatNews(live, limits.repeatNewsEvery)),
    matcher,
    advisoryDatabase,
    inventories: createInventories(store, createClaims(store, health)),
    clusterPolicies: createPolicyReader(() => context),
    sealing,
    closing: closing.signal,
    health,
    disk: createDiskGuard(config.data, store, limits.diskFloor),
    throttle: createThrottle(),
    secure: config.server.url?.startsWith("https:") ?? config.server.tls !== undefined,
  };

  stack.use(await startJobs(createJobs(), context));
  stack.defer(async () => context.health.leave().catch(() => undefined));
  stack.use(await keepClusters(context));
  if (config.server.admission) context.webhook = stack.use(await startWebhook(context, context.policies));
  const app = await createApp(context, options.consoleDir);
  const busy = requestsUnderWay(app);
  stack.defer(() => closeApp(app, busy, limits));
  stack.defer(() => closing.abort());
  const url = await listen(app, config.server);
  const agentsUrl = gate ? await listenForAgents(context, gate, stack) : null;
  context.health.report({ id: "api", state: "ok", summary: `Listens on ${url}` });
  reportAgents(context, agentsUrl);
  if (gate) await publishAuthority(context, gate);
  logger.info({ url, agentsUrl }, "the server listens");
  await context.health.share();

  const open = stack.move();
  const base = config.server.url?.replace(/\/$/, "") ?? url;
  return {
    url,
    agentsUrl,
    webhookUrl: context.webhook?.url ?? null,
    store,
    bus,
    async createLoginLink(user = "admin", { forgetPassword = false } = {}) {
      return `${base}/login#token=${await addLoginLink(user, context, { forgetPassword })}`;
    },
    createAgentToken: (node) => addAgentToken(node, context),
    createJoinToken: (asked) => addJoinToken(asked, "server", "", context),
    listAgents: () => store.agents.list(Date.now()),
    revokeAgent: (node) => revoke(node, "server", "", context),
    reportHealth: (...reports) => reports.forEach((report) => context.health.report(report)),
    close: () => open.disposeAsync(),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Two servers on one database must be told apart; one on a file of its own is just the server. */
function memberName({ server }: Config): string {
  return server.database === undefined ? alone : `${alone}/${server.replica ?? hostname()}`;
}

function accountsOf({ server }: Config, stack: AsyncDisposableStack): ServiceAccounts | null {
  if (!server.agents?.serviceAccount) return null;
  const accounts = createServiceAccounts(server.agents.serviceAccount);
  stack.defer(() => accounts.close());
  return accounts;
}

/** Tried until it is done: nodes join as soon as they find it. */
async function publishAuthority(context: Context, gate: AgentGate): Promise<void> {
  const { serviceAccounts, health, closing, logger } = context;
  if (!serviceAccounts) return;
  try {
    await serviceAccounts.publish(gate.authority.fingerprint);
    health.report({ id: "service-accounts", state: "ok", summary: joinsByToken });
  } catch (error) {
    const reason = errorText(error).slice(0, 2048);
    logger.warn({ reason }, "the fingerprint for the agents cannot be written");
    health.report({
      id: "service-accounts",
      state: "failed",
      summary: "New nodes cannot join",
      reason,
      remedy: "give the server's service account the role of the chart: patch of the config map for agents",
    });
    const again = setTimeout(() => void publishAuthority(context, gate), 5000).unref();
    closing.addEventListener("abort", () => clearTimeout(again), { once: true });
  }
}

async function listenForAgents(context: Context, gate: AgentGate, stack: AsyncDisposableStack): Promise<string> {
  const { app, stop } = await createAgentApp(context, gate.authority);
  stack.defer(stop);
  const busy = requestsUnderWay(app);
  stack.defer(() => closeApp(app, busy, context.limits));
  const { agents, address, port } = context.config.server;
  return listen(app, { address: agents?.address ?? address, port: agents?.port ?? (port === 0 ? 0 : 8444), tls: true });
}

function reportAgents({ health, store, gate }: Context, url: string | null): void {
  if (!gate || url === null) return;
  const exposed = gate.guard === "database" && store.engine === "postgresql";
  health.report({
    id: "agents",
    state: exposed ? "degraded" : "ok",
    summary: `Agents of other machines connect to ${url}`,
    reason: exposed ? "whoever may read the database has the private key of the agents' authority" : "",
    remedy: exposed ? "give every replica the same key: server.keyFile or BULWARK_KEY" : "",
  });
}

async function listen(
  app: FastifyInstance,
  { address, port, tls }: { address: string; port: number; tls?: unknown },
): Promise<string> {
  try {
    await app.listen({ host: address, port });
  } catch (error) {
    throw explain(error, address, port);
  }
  const bound = app.server.address();
  if (bound === null || typeof bound === "string") throw new Error("the server listens nowhere");
  return `${tls === undefined ? "http" : "https"}://${reachable(address)}:${bound.port}`;
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
