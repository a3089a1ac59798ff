import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import { createRun, detectors, type Anomaly } from "@bulwark/anomaly";
import type { ContainerRegistry } from "@bulwark/containers";
import { toAncestor, toContainerRef, toProcess, type Entry, type ProcessTable } from "@bulwark/detect";
import { createDirectory, endText, type Flow } from "@bulwark/flow";
import type { Alert, Component, Container, FlowReport } from "@bulwark/model";
import type { TrafficRecord } from "@bulwark/sensor";
import { createTraffic, hostNetwork, workloadOf, type Traffic } from "@bulwark/traffic";
import { FlowReports, ingress } from "./flow-report.ts";

export interface FlowsOptions {
  node: string;
  registry: ContainerRegistry;
  /** With what the cluster says of its pod. */
  complete(container: Container): Container;
  /** Whether a process is the host's, by its cgroups. */
  isHost(cgroups: readonly string[]): boolean;
  /** A policy denied a connection at that side of it; which, where that is known. */
  denied(flow: Flow, direction: "egress" | "ingress"): string | undefined;
  /** Undefined: what is out of the ordinary is not looked for. */
  raise: ((alert: Alert) => void) | undefined;
  /** Who talked to whom, told so often; undefined: not told. */
  report: { everyMs: number; told(reports: FlowReport[]): void } | undefined;
}

const settleInterval = 200;
const remedy =
  "Look at the flows of this workload (bulwark network watch), and whether the program is meant to do this; if not, cut it off.";

/**
 * Flows of this node's containers, of whichever sensor runs: who talked to whom, what was denied, and what is out of the
 * ordinary in them.
 */
export class Flows implements Disposable {
  readonly #options: FlowsOptions;
  readonly #directory = createDirectory();
  readonly #settling = setInterval(() => this.#traffic?.settle(), settleInterval);
  readonly #id = randomUUID().slice(0, 8);
  readonly #run: ReturnType<typeof createRun>;
  #traffic: Traffic | undefined;
  #table: ProcessTable | undefined;
  /** Whose socket the flow is at which detectors look now. */
  #subject: { process: Entry; flow: Flow } | undefined;
  readonly #counters = { denied: 0, alerts: 0, "unknown.process": 0 };
  readonly #reports: FlowReports;
  readonly #reporting: NodeJS.Timeout | undefined;
  /** Flows that this sensor had no room for. */
  #lost = 0;

  constructor(options: FlowsOptions) {
    this.#options = options;
    const context = { profile: null, badList: null };
    this.#run = createRun(options.raise ? detectors : [], context, (anomaly) => this.#anomaly(anomaly));
    options.registry.on("started", (container) => this.#know(container));
    this.#reports = new FlowReports(options.node);
    const { report } = options;
    if (report) this.#reporting = setInterval(() => report.told(this.#reports.take(Date.now())), report.everyMs);
  }

  /** A sensor has started: its processes are in that table, its times are by that clock. */
  begin(table: ProcessTable, epochMs: (time: bigint) => number): void {
    const { registry, complete, isHost } = this.#options;
    this.#traffic?.end();
    this.#table = table;
    this.#traffic = createTraffic({
      ownerOf(pid, startTime) {
        const process = table.get(pid, startTime);
        const container = process && registry.byCgroup(process.cgroups);
        if (container) {
          const own = { workload: workloadOf(complete(container)), since: container.startedAt ?? undefined };
          return { ...own, process: basename(process.executable) || process.name };
        }
        return process && isHost(process.cgroups) ? null : undefined;
      },
      epochMs,
      directory: this.#directory,
      hostNetwork: hostNetwork(),
      emit: (flow, { pid, startTime }) => this.#see(flow, table.get(pid, startTime)),
    });
    for (const container of registry.containers()) this.#know(container);
    this.#lost = 0;
    this.#reports.begin(Date.now());
  }

  /** The sensor has ended: what comes until the next one starts is not seen. */
  ended(): void {
    this.#traffic?.end();
    this.#traffic = undefined;
    this.#options.report?.told(this.#reports.end(Date.now()));
  }

  /** So many flows the sensor had no room for since it started. */
  lost(flows: number): void {
    if (flows <= this.#lost) return;
    this.#reports.lose(flows - this.#lost);
    this.#lost = flows;
  }

  take(records: readonly TrafficRecord[]): void {
    this.#traffic?.take(records);
  }

  health(): Component {
    const { flows = 0, unknown = 0, forgotten = 0 } = this.#traffic?.counters ?? {};
    const forgot = Object.values(this.#run.forgotten()).reduce((sum, count) => sum + count, 0);
    return {
      id: "flows",
      node: this.#options.node,
      state: this.#traffic ? "ok" : "off",
      summary: this.#traffic ? "Counts what containers send and receive" : "What containers send is not seen",
      reason: this.#traffic ? "" : "the sensor does not run",
      remedy: this.#traffic ? "" : "see the sensor",
      counters: { flows, unknown, forgotten: forgotten + forgot, ...this.#counters, ...this.#told() },
      updatedAt: Date.now(),
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#settling);
    clearInterval(this.#reporting);
    this.ended();
  }

  #told(): Record<string, number> {
    return this.#options.report ? { ...this.#reports.counters, waiting: this.#reports.waiting } : {};
  }

  #know(container: Container): void {
    const { pid, startedAt } = container;
    if (pid !== null) this.#traffic?.know(workloadOf(this.#options.complete(container)), pid, startedAt ?? Date.now());
  }

  #see(flow: Flow, process: Entry | undefined): void {
    let policy: string | undefined;
    if (flow.result === "denied") {
      this.#counters.denied += flow.connections;
      policy = this.#options.denied(flow, flow.deniedBy === ingress ? "ingress" : "egress");
    }
    if (this.#options.report) this.#reports.add(flow, policy ?? null);
    this.#subject = process && { process, flow };
    this.#run.see(flow);
  }

  /** Of one whose process is not known any more, there is nothing that an alert could be about. */
  #anomaly({ detector, title, severity, techniques, time, subject, peer, port, explanation, evidence }: Anomaly): void {
    const { node, registry, complete, raise } = this.#options;
    const container = this.#subject && registry.byCgroup(this.#subject.process.cgroups);
    if (!this.#subject || !container) {
      this.#counters["unknown.process"]++;
      return;
    }
    const { process, flow } = this.#subject;
    const about = [
      { key: "client", value: subject },
      { key: "server", value: peer },
      { key: "peer", value: `${flow.server.ip ?? endText(flow.server)}:${port}` },
      ...evidence,
    ];
    this.#counters.alerts++;
    raise?.({
      id: `${node}/${this.#id}/flow-${this.#counters.alerts}`,
      time,
      node,
      rule: `network-${detector}`,
      title,
      description: explanation.slice(0, 2048),
      remedy,
      severity,
      techniques: [...techniques].slice(0, 16),
      attribution: "container",
      container: toContainerRef(complete(container)),
      process: toProcess(process),
      ancestors: (this.#table?.ancestors(process) ?? []).map(toAncestor),
      evidence: about.map(({ key, value }) => ({ key: key.slice(0, 64), value: value.slice(0, 4096) })).slice(0, 64),
      events: [],
    });
  }
}
