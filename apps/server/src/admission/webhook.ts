import type { Server } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { readSecret } from "@bulwark/config";
import {
  createListener,
  guardsOf,
  judge,
  webhookConfiguration,
  type Address,
  type AdmissionResponse,
  type Guard,
  type Judgement,
  type Route,
} from "@bulwark/gate";
import type { AdmissionRequest } from "@bulwark/admission";
import { connect } from "@bulwark/kube";
import { errorText } from "@bulwark/model";
import type { Context } from "../context.ts";
import { ServerError } from "../error.ts";
import { count } from "../http/figures.ts";
import { namedClusters } from "../kubernetes/keep.ts";
import { openAuthorities, type Authorities, type Serving } from "./authorities.ts";
import type { PolicyBook } from "./book.ts";
import { putConfiguration, viewCluster, type ClusterView } from "./cluster-view.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

/** The admission webhook of this server. */
export interface Webhook extends AsyncDisposable {
  /** Where it listens here. */
  readonly url: string;
  readonly clusters: readonly ClusterView[];
  /** Makes a new authority before its time; clusters are told within seconds. */
  rotate(): Promise<void>;
  /** Policies have changed: the clusters' configurations follow at once. */
  changed(): void;
  /** A bundle that API servers trust, for tests and for configurations by hand. */
  authorities(): string;
}

/** Starts the webhook's listener and keeps its configuration in each cluster. Raises `ServerError`. */
export async function startWebhook(context: Context, book: PolicyBook): Promise<Webhook> {
  const { config, limits, logger, store, health } = context;
  const { admission } = config.server;
  if (!admission) throw new Error("server.admission is not configured");
  await using stack = new AsyncDisposableStack();
  const stop = new AbortController();

  const settings = { ...admission, ...whereabouts(admission) };
  const authorities = await openAuthorities(
    {
      ...{ store, holder: context.holder, names: settings.names, settle: limits.webhookSettle },
      secret: readSecret("BULWARK_KEY", config.server.keyFile),
    },
    Date.now(),
  );
  await book.refresh();
  const recorder = stack.use(createRecorder(context));
  const kick = createKick();
  const clusters = namedClusters(context).map(({ name, access }) => {
    const kube = connect(access);
    stack.defer(() => kube.close());
    return viewCluster({
      name,
      kube,
      namespace: settings.namespace,
      signal: stop.signal,
      judge: book.images,
      changed: kick.now,
    });
  });
  const known = new Map(clusters.map((view) => [view.name, view]));
  /** Of a cluster that nobody gave this server access to nothing is known. */
  const stranger = viewCluster({
    ...{ name: "", kube: null, namespace: "", signal: stop.signal },
    ...{ judge: book.images, changed: () => undefined },
  });
  const reported = clusters.map(({ name }) => name);

  let serving = await authorities.serving(reported, Date.now());
  const server = createListener({
    limits: { body: limits.reviewBody, atOnce: limits.reviewsAtOnce, deadline: admission.deadline },
    tls: serving,
    ready: () => true,
    judge: async (route, request, deadline) =>
      answer(route, request, deadline, { book, recorder, view: known.get(route.cluster) ?? stranger }),
    turnedAway(route, why, reason) {
      count.reviewsTurnedAway.inc({ why });
      recorder.turnedAway(route.cluster, why, reason);
    },
  });
  stack.defer(async () => closeListener(server, limits.closeTime));
  const address = admission.address ?? config.server.address;
  const url = await listen(server, address, admission.port);

  async function keep(): Promise<void> {
    for (let failures = 0; !stop.signal.aborted;) {
      try {
        await authorities.refresh(Date.now());
        await book.refresh();
      } catch (error) {
        // Policies and certificates in memory go on.
        logger.warn({ reason: errorText(error) }, "the webhook's policies could not be read again");
      }
      const reachable = settings.own ?? { url };
      const outcomes = await Promise.all(
        clusters.map(async (view) => tell(view, { context, book, authorities, address: reachable, settings })),
      );
      failures = outcomes.every(Boolean) ? 0 : failures + 1;
      serving = await exchange(server, serving, authorities, reported);
      report(context, url, clusters, book);
      await kick.wait(failures > 0 ? Math.min(1000 * 2 ** failures, 30_000) : limits.webhookEvery, stop.signal);
    }
  }
  const keeping = keep().catch((error: unknown) => {
    logger.error({ reason: errorText(error) }, "the webhook's configuration is not kept any more");
    const remedy = "see the server's log";
    health.report({
      id: "admission",
      state: "failed",
      summary: "Clusters are not told",
      reason: errorText(error),
      remedy,
    });
  });
  stack.defer(async () => {
    stop.abort();
    await keeping;
  });

  const open = stack.move();
  return {
    url,
    clusters,
    changed: kick.now,
    authorities: () => authorities.bundle(),
    async rotate() {
      await authorities.rotate(Date.now());
      kick.now();
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

interface Judging {
  book: PolicyBook;
  recorder: Recorder;
  view: ClusterView;
}

async function answer(
  route: Route,
  request: AdmissionRequest,
  deadline: number,
  { book, recorder, view }: Judging,
): Promise<AdmissionResponse> {
  const begun = performance.now();
  const now = Date.now();
  const guards = guardsOf(route, together(book.guards(), view.guards()), now);
  const { namespace } = request;
  const judgement = await judge(
    request,
    guards,
    {
      namespace: namespace === "" ? null : await view.namespaceOf(namespace, deadline - begun),
      paramsOf: (kind) => view.paramsOf(kind),
      ask: async (question) => view.ask(question, request.userInfo),
    },
    { now, deadline },
  );
  const duration = performance.now() - begun;
  const { response } = judgement;
  count.reviews.observe({ side: route.side, allowed: String(response.allowed) }, duration / 1000);
  for (const { policy, outcome, mode } of judgement.rulings) count.rulings.inc({ policy, outcome, mode });
  // What is only tried leaves no trace.
  if (!request.dryRun) record(route, request, judgement, { now, duration, recorder });
  return response;
}

function record(
  { cluster }: Route,
  request: AdmissionRequest,
  { rulings, asked }: Judgement,
  { now, duration, recorder }: { now: number; duration: number; recorder: Recorder },
): void {
  const { operation, kind, namespace, name, userInfo, object } = request;
  const metadata = (object?.["metadata"] ?? {}) as { generateName?: unknown };
  const called = name || (typeof metadata.generateName === "string" ? metadata.generateName : "");
  const about = {
    ...{ time: now, cluster, operation, kind: kind.kind, namespace, name: called.slice(0, 253) },
    user: userInfo.username.slice(0, 512),
  };
  for (const ruling of rulings) recorder.add({ ...about, ...ruling });
  if (rulings.length > 0 || asked.length === 0) return;
  const reason = `${asked.length} ${asked.length === 1 ? "policy" : "policies"}: ${asked.join(", ")}`.slice(0, 2048);
  recorder.add({ ...about, policy: "", outcome: "allowed", mode: "enforce", rule: -1, reason, duration });
}

/** Of two policies of one name the server's own is in force. */
function together(own: readonly Guard[], ofCluster: readonly Guard[]): readonly Guard[] {
  if (ofCluster.length === 0) return own;
  const known = joined.get(ofCluster);
  if (known?.own === own) return known.all;
  const names = new Set(own.map(({ name }) => name));
  const all = [...own, ...ofCluster.filter(({ name }) => !names.has(name))];
  joined.set(ofCluster, { own, all });
  return all;
}
/** The same list until something changes: what is worked out of it is remembered by it. */
const joined = new WeakMap<readonly Guard[], { own: readonly Guard[]; all: readonly Guard[] }>();

interface Telling {
  context: Context;
  book: PolicyBook;
  authorities: Authorities;
  address: Address;
  settings: { configuration: string; deadline: number };
}

/** False where the cluster could not be told. */
async function tell(view: ClusterView, telling: Telling): Promise<boolean> {
  const { context, book, authorities, address, settings } = telling;
  const { name, kube } = view;
  if (!kube) return true;
  const guards = together(book.guards(), view.guards());
  view.want(guards.flatMap(({ paramKinds }) => paramKinds));
  const bundle = authorities.bundle();
  const now = Date.now();
  const options = {
    ...{ name: settings.configuration, cluster: name, address, authorities: bundle },
    excludedNamespaces: sparedNamespaces(context.config),
    // A quarter more than the answer takes here: it has to travel, and a later start is part of it.
    timeoutSeconds: Math.min(30, Math.ceil((settings.deadline * 1.25) / 1000)),
  };
  try {
    for (const side of ["validate", "mutate"] as const) {
      await putConfiguration(kube, side, settings.configuration, webhookConfiguration(side, guards, options, now));
    }
    authorities.published(name, bundle, Date.now());
    const problems = view.problems();
    context.health.report({
      id: `admission:${name}`,
      state: problems.length === 0 ? "ok" : "degraded",
      summary: `${guards.length} policies are in force in ${name}`,
      reason: problems.join("; ").slice(0, 2048),
      remedy: problems.length === 0 ? "" : "mend what is named: what was last known is in force until then",
    });
    return true;
  } catch (error) {
    context.health.report({
      id: `admission:${name}`,
      state: "failed",
      summary: `Webhook configurations of ${name} cannot be written; those that it has are in force`,
      reason: errorText(error).slice(0, 2048),
      remedy: "let the server's account get, patch and delete webhook configurations, as the chart's role does",
    });
    return false;
  }
}

async function exchange(
  server: Server,
  before: Serving,
  authorities: Authorities,
  clusters: readonly string[],
): Promise<Serving> {
  const next = await authorities.serving(clusters, Date.now());
  if (next !== before) server.setSecureContext({ cert: next.cert, key: next.key, minVersion: "TLSv1.3" });
  return next;
}

function report({ health }: Context, url: string, clusters: readonly ClusterView[], book: PolicyBook): void {
  const problems = book.problems();
  const where = clusters.length === 0 ? "; no cluster is known to this server" : "";
  health.report({
    id: "admission",
    state: problems.length > 0 ? "degraded" : "ok",
    summary: `The admission webhook listens on ${url}${where}`,
    reason: problems.join("; ").slice(0, 2048),
    remedy: problems.length > 0 ? "mend what is named" : "",
  });
}

interface Whereabouts {
  /** Names that the certificate is for. */
  names: string[];
  /** How API servers call it; undefined: by where it listens. */
  own: Address | undefined;
  /** Bulwark's own in each cluster. */
  namespace: string;
}

const usualNamespace = "bulwark";

/** Namespaces about which no policy is ever asked. */
export function sparedNamespaces({ server: { admission } }: Context["config"]): string[] {
  if (!admission) return ["kube-system", usualNamespace];
  return [...new Set(["kube-system", whereabouts(admission).namespace, ...admission.excludedNamespaces])];
}

function whereabouts(admission: NonNullable<Context["config"]["server"]["admission"]>): Whereabouts {
  const { url, service, namespace } = admission;
  if (url !== undefined) {
    const { hostname } = new URL(url);
    const names = [hostname.replace(/^\[|\]$/g, ""), "localhost", "127.0.0.1"];
    return { names, own: { url }, namespace: namespace ?? usualNamespace };
  }
  if (service) {
    const [where = "", name = ""] = service.name.split("/");
    const names = [`${name}.${where}.svc`, `${name}.${where}.svc.cluster.local`, "localhost", "127.0.0.1"];
    return { names, own: { service: { namespace: where, name, port: service.port } }, namespace: namespace ?? where };
  }
  return { names: ["localhost", "127.0.0.1", "::1"], own: undefined, namespace: namespace ?? usualNamespace };
}

/** A wait that can be cut short. */
function createKick(): { now(): void; wait(milliseconds: number, signal: AbortSignal): Promise<void> } {
  let cut = new AbortController();
  return {
    now: () => cut.abort(),
    async wait(milliseconds, signal) {
      await sleep(milliseconds, undefined, { signal: AbortSignal.any([signal, cut.signal]) }).catch(() => undefined);
      // Changes come together: those of the next moment go into one call.
      if (cut.signal.aborted) await sleep(20, undefined, { signal }).catch(() => undefined);
      cut = new AbortController();
    },
  };
}

async function listen(server: Server, address: string, port: number): Promise<string> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(port, address, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    throw new ServerError("port-busy", `the webhook cannot listen on ${address}:${port}: ${errorText(error)}`, {
      remedy: "set server.admission.port and address in bulwark.yaml to free ones",
      cause: error,
    });
  }
  const bound = server.address();
  const number = bound !== null && typeof bound !== "string" ? bound.port : port;
  const host = address === "0.0.0.0" || address === "localhost" ? "127.0.0.1" : address === "::" ? "[::1]" : address;
  return `https://${host}:${number}`;
}

async function closeListener(server: Server, patience: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), patience);
  await closed;
  clearTimeout(timer);
}
