import { hostname } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Config } from "@bulwark/config";
import { isHost, openContainers } from "@bulwark/containers";
import { needsOf, rulesDetector, tracingPrice } from "@bulwark/detect";
import { AuditRules } from "@bulwark/detect/audit";
import { errorText, type ActionOrder, type AgentRecord, type Component, type Container } from "@bulwark/model";
import { connect, type Kube } from "@bulwark/kube";
import { FollowedRules } from "@bulwark/rules";
import { createLogger, type Logger } from "@bulwark/telemetry";
import { AuditLog } from "./audit-log.ts";
import { HostChecker } from "./benchmark.ts";
import { Connection, type Credentials } from "./connection.ts";
import { ImageScanner } from "./image-scan.ts";
import { Flows } from "./flows.ts";
import { folderKeeper } from "./keeper.ts";
import { NetworkPolicies } from "./network-policies.ts";
import { PodBook } from "./pods.ts";
import { clusterActions } from "./cluster-actions.ts";
import { Orders } from "./orders.ts";
import type { Quarantines } from "./quarantines.ts";
import { Response } from "./response.ts";
import { RuleTexts } from "./rule-texts.ts";
import { runtimeActions } from "./runtime-actions.ts";
import { Settings } from "./settings.ts";
import { Spool } from "./spool.ts";
import { ticketFrom } from "./ticket.ts";
import { Uplink } from "./uplink.ts";
import { ClosedOrders } from "./closed-orders.ts";
import { Watcher } from "./watcher.ts";

export interface AgentOptions {
  config: Config;
  /** Addresses of the control plane: the next one when one is silent. */
  servers: readonly string[];
  /** A token where the agent is of the server's own machine; else it joins with what `joinToken` gives. */
  credentials: { token: string } | { joinToken(): Promise<string | undefined> };
  version: string;
  log?: Logger;
}

export interface RunningAgent extends AsyncDisposable {
  health(): Component[];
}

/** Events are synced to disk and sent so often; alerts at once. */
const syncInterval = 200;
const healthInterval = 5000;
const listInterval = 10_000;
const imageInterval = 60_000;
const quarantineInterval = 5000;

/**
 * Starts the agent of one node: sensor, containers, detection, image scans, spool and uplink. A part that cannot work
 * here is off, says so in its health, and the others go on.
 */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { config, servers, version } = options;
  const node = config.agent.node ?? hostname();
  const log = options.log ?? createLogger("agent");
  await using stack = new AsyncDisposableStack();

  const spool = await Spool.open({ folder: join(config.data, "spool"), limit: config.agent.spool });
  stack.defer(async () => spool.close());
  const settings = await Settings.open(join(config.data, "settings.json"), log, () => void quarantines?.look());
  const connection = new Connection({ servers, credentials: credentialsOf(options, node) });
  stack.defer(() => connection.close());
  const onSettings = (revision: number): void => void settings.follow(revision, connection);
  const uplink = new Uplink({ connection, node, spool, log, onSettings });
  stack.defer(async () => uplink.stop());

  let texts: RuleTexts | undefined;
  let response: Response | undefined;
  let quarantines: Quarantines | undefined;
  async function flush(): Promise<void> {
    await spool.sync();
    uplink.kick();
  }
  function emit(told: AgentRecord[]): void {
    const kept = settings.apply(told);
    const records = texts?.with(kept) ?? kept;
    spool.append(records);
    for (const record of records) if (record.type === "alert") response?.alerted(record.alert);
    if (records.some(({ type }) => type !== "event")) void flush();
  }

  const registry = stack.use(await openContainers({ node, paths: config.agent.runtimes }));
  let settle = (): void => undefined;
  const pods = podBook();
  if (pods) stack.use(pods);
  const tell = (container: Container): void =>
    emit([{ type: "container", container: pods?.complete(container) ?? container }]);
  for (const event of ["started", "stopped", "changed"] as const) registry.on(event, tell);
  for (const container of registry.containers()) tell(container);
  const list = (): void => {
    const running = registry.containers().filter(({ state }) => state === "running" || state === "paused");
    emit([{ type: "containers", node, running: running.map(({ id }) => id) }]);
  };
  list();

  const network = networkPolicies();
  const { flows: told, detect } = config.agent.network;
  const flows = network || told || detect ? stack.use(flowsOf()) : undefined;
  const { host, eventRate, lossLimit } = config.agent;
  // Bulwark's own rules need nothing traced unless others switch them on: then the sensor does not wait for them.
  const others = config.agent.rules.files.length > 0 ? followRules() : undefined;
  let needs = needsOf(others?.ruleset.rules ?? []);
  const watcher: Watcher = stack.use(
    new Watcher({
      ...{ node, host, eventRate, lossLimit, asks: needs.asks, registry, pods, flows, network, log, emit },
      rules: () => rulesDetector(rules.engine),
    }),
  );
  if (network) {
    stack.use(network);
    for (const event of ["started", "stopped"] as const) registry.on(event, () => network.changed());
  }
  settle = () => watcher.settle();
  // The kernel checks the sensor's programs for a third of a second, and rules take as long to read: both at once.
  const starting = watcher.start();
  const rules = others ?? followRules();
  await starting;
  response = stack.use(responseOf());
  await response.takeOver();
  quarantines = response.quarantines(() => settings.quarantines);
  registry.on("started", () => void quarantines?.look());
  void quarantines.look();
  const act = async (order: ActionOrder): Promise<void> => response?.obey(order);
  stack.use(
    await Orders.open({ connection, node, path: join(config.data, "orders.json"), log, act, settings: onSettings }),
  );
  const { memory, clamd, images: which } = config.agent.scan;
  const cache = join(config.data, "layers");
  const images = stack.use(new ImageScanner({ node, registry, cache, memory, clamd, all: which === "all", log, emit }));
  const lookForImages = (): void =>
    void images.look().catch((error: unknown) => log.warn({ reason: errorText(error) }, "images are not listed"));
  lookForImages();

  const checker = stack.use(new HostChecker({ node, ...config.agent.benchmarks, log, emit }));
  const auditLog = auditLogOf();
  if (auditLog) stack.use(auditLog);

  function health(): Component[] {
    const own = [
      agentHealth(),
      watcher.health(),
      rulesHealth(),
      ...registry.health(),
      spoolHealth(),
      imageHealth(),
      checker.health(),
      settingsHealth(),
    ];
    return [...own, ...[response, pods, network, flows, auditLog].flatMap((part) => (part ? [part.health()] : []))];
  }

  function responseOf(): Response {
    const { enabled, kubernetes } = config.agent.response;
    const { kubeconfig } = config.agent.kubernetes;
    const open = (): Kube => connect(kubeconfig === undefined ? {} : { kubeconfig });
    return new Response({
      ...{ node, enabled, registry },
      means: {
        // Asked when it is needed: the sensor may come and go.
        get enforcer() {
          return watcher.enforcer.isReady ? watcher.enforcer : undefined;
        },
        runtime: runtimeActions(registry),
        cluster: pods && kubernetes ? clusterActions(open, node) : undefined,
      },
      policies: () => settings.responses,
      complete: (container) => pods?.complete(container) ?? container,
      told: (action) => emit([{ type: "action", action }]),
      closed: new ClosedOrders(join(config.data, "closed-orders.json"), log),
      guard: () => watcher.enforcer.guard,
    });
  }

  function followRules(): FollowedRules {
    const tell = (problems: readonly string[], what: string): void => {
      for (const problem of problems) log.error({ problem }, what);
    };
    const followed = stack.use(
      new FollowedRules({
        ...config.agent.rules,
        changed() {
          texts?.changed();
          const before = needs.asks;
          needs = needsOf(followed.ruleset.rules);
          log.info({ rules: followed.ruleset.rules.length }, "rules were read again, and run");
          if (!isDeepStrictEqual(needs.asks, before)) void watcher.ask(needs.asks);
        },
        broken: (problems) => tell(problems, "rule files have changed and are broken: the rules before that go on"),
      }),
    );
    texts = new RuleTexts(node, (rule) => followed.textOf(rule));
    tell(followed.broken, "rule files are broken: the rules in them that are sound run");
    return followed;
  }

  /** Undefined where network policies are not to be enforced, or this node is of no cluster. */
  function networkPolicies(): NetworkPolicies | undefined {
    const { kubeconfig } = config.agent.kubernetes;
    if (!config.agent.network.enforce || !pods) return undefined;
    const containers = (): Container[] => registry.containers();
    const open = (): Kube => connect(kubeconfig === undefined ? {} : { kubeconfig });
    return new NetworkPolicies({ node, connect: open, containers, log });
  }

  function flowsOf(): Flows {
    return new Flows({
      ...{ node, registry },
      complete: (container) => pods?.complete(container) ?? container,
      isHost,
      denied: (flow, direction) => network?.denied(flow, direction),
      raise: detect ? (alert) => emit([{ type: "alert", alert }]) : undefined,
      report: told
        ? {
            everyMs: config.agent.network.flowsEvery * 1000,
            told: (reports) => emit(reports.map((report) => ({ type: "flows", report }))),
          }
        : undefined,
    });
  }

  /** Undefined where this node is of no cluster. */
  function podBook(): PodBook | undefined {
    const { kubeconfig } = config.agent.kubernetes;
    if (kubeconfig === undefined && !process.env["KUBERNETES_SERVICE_HOST"]) return undefined;
    return new PodBook({
      node,
      log,
      connect: () => connect(kubeconfig === undefined ? {} : { kubeconfig }),
      changed(uid) {
        for (const container of registry.containers()) if (container.pod?.uid === uid) tell(container);
        settle();
        void quarantines?.look();
      },
    });
  }

  function auditLogOf(): AuditLog | undefined {
    const { auditLog: file, cluster } = config.agent.kubernetes;
    const state = join(config.data, "audit-log.json");
    const judge = new AuditRules(rules.engine);
    return file === undefined
      ? undefined
      : new AuditLog({ node, cluster, file, state, rules: judge, emit, sync: flush });
  }

  function rulesHealth(): Component {
    const own = rules.ruleset.rules.filter(({ source }) => source === "syscall");
    const { asks, leftOut, traced, unserved } = needs;
    const price =
      traced.length > 0 ? `; ${traced.length} of them by tracing ${asks.calls.join(", ")}: ${tracingPrice}` : "";
    const summary = `${own.length} rules watch what containers do${price}`.slice(0, 1024);
    const needed = { traced: traced.length, unserved: unserved.length, "left.out": leftOut };
    const counters = { ...rules.health.counters, ...needed };
    return { id: "rules", node, ...rules.health, summary, counters, updatedAt: Date.now() };
  }

  function agentHealth(): Component {
    const told = { state: "ok" as const, summary: `Bulwark ${version}`, reason: "", remedy: "", counters: {} };
    return { id: "agent", node, ...told, version, updatedAt: Date.now() };
  }

  function spoolHealth(): Component {
    const { bytes, records } = spool.size;
    const { state, reason, remedy, sent, poisonous } = uplink.state;
    const { full, torn, disk } = spool.lost;
    const lost = full + torn + disk + poisonous;
    const counters = {
      sent,
      waiting: records,
      bytes,
      "lost.spool": full,
      "lost.torn": torn,
      "lost.disk": disk,
      "lost.refused": poisonous,
    };
    const sound = state === "ok" && lost === 0;
    return {
      id: "spool",
      node,
      state: sound ? "ok" : state === "refused" || state === "unreadable" ? "failed" : "degraded",
      summary: `${records} records wait to be sent (${(bytes / 1e6).toFixed(1)} MB of ${(config.agent.spool / 1e6).toFixed(0)})`,
      reason: state === "ok" ? (lost === 0 ? "" : `${lost} records were lost`) : reason,
      remedy: sound ? "" : remedy || remedies[state],
      counters,
      updatedAt: Date.now(),
    };
  }

  function imageHealth(): Component {
    const { scanned, failed } = images.counters;
    return {
      id: "image-scan",
      node,
      state: failed === 0 ? "ok" : "degraded",
      summary: `${scanned} images scanned, ${images.waiting} wait`,
      reason: failed === 0 ? "" : `${failed} scans failed; each says why`,
      remedy: failed === 0 ? "" : "see the scans under Assets: what failed is tried again",
      counters: { scanned, failed, waiting: images.waiting },
      updatedAt: Date.now(),
    };
  }

  function settingsHealth(): Component {
    const { disabledRules: off, exceptions, revision, suppressed } = settings;
    return {
      id: "settings",
      node,
      state: "ok",
      summary: off.length === 0 ? "Every rule is on" : `${off.length} rules are off: ${off.join(", ")}`.slice(0, 1024),
      reason: "",
      remedy: "",
      counters: { revision, exceptions, suppressed },
      updatedAt: Date.now(),
    };
  }

  const report = (): void => emit([{ type: "health", components: health() }]);
  report();
  const timers = [
    setInterval(() => void flush(), syncInterval),
    setInterval(report, healthInterval),
    setInterval(list, listInterval),
    setInterval(lookForImages, imageInterval),
    setInterval(() => void quarantines?.look(), quarantineInterval),
  ];
  stack.defer(() => timers.forEach((timer) => clearInterval(timer)));
  log.info({ node, servers, version }, "the agent watches this node");

  const open = stack.move();
  return { health, [Symbol.asyncDispose]: async () => open.disposeAsync() };
}

function credentialsOf({ config, credentials }: AgentOptions, node: string): Credentials {
  if ("token" in credentials) return { kind: "token", ...credentials, certificate: config.server.tls?.certificate };
  return {
    kind: "certificate",
    keeper: folderKeeper(join(config.data, "identity")),
    node,
    ticket: ticketFrom(config.agent, credentials.joinToken),
  };
}

const remedies = {
  ok: "give the spool more room (agent.spool), or find out why the server was away",
  away: "start the server, or let this node reach it; everything is kept until then",
  refused: "make a new token for this node: bulwark join NODE",
  full: "free space on the server's disk, or lower retention.size",
  unreadable: "check the disk below the agent's data folder",
};
