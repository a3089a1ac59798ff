import { basename } from "node:path";
import type { ContainerRegistry } from "@bulwark/containers";
import { createDirectory, type Flow } from "@bulwark/flow";
import type { Component, Container } from "@bulwark/model";
import type { ProcessTable } from "@bulwark/detect";
import type { TrafficRecord } from "@bulwark/sensor";
import { createTraffic, hostNetwork, workloadOf, type Traffic } from "@bulwark/traffic";

export interface FlowsOptions {
  node: string;
  registry: ContainerRegistry;
  /** With what the cluster says of its pod. */
  complete(container: Container): Container;
  /** Whether a process is the host's, by its cgroups. */
  isHost(cgroups: readonly string[]): boolean;
  /** A policy denied a connection at that side of it. */
  denied(flow: Flow, direction: "egress" | "ingress"): void;
}

const settleInterval = 200;

/** Flows of this node's containers, of whichever sensor runs. */
export class Flows implements Disposable {
  readonly #options: FlowsOptions;
  readonly #directory = createDirectory();
  readonly #settling = setInterval(() => this.#traffic?.settle(), settleInterval);
  #traffic: Traffic | undefined;
  #denied = 0;

  constructor(options: FlowsOptions) {
    this.#options = options;
    options.registry.on("started", (container) => this.#know(container));
  }

  /** A sensor has started: its processes are in that table, its times are by that clock. */
  begin(table: ProcessTable, epochMs: (time: bigint) => number): void {
    const { registry, complete, isHost } = this.#options;
    this.#traffic?.end();
    this.#traffic = createTraffic({
      ownerOf(pid, startTime) {
        const process = table.get(pid, startTime);
        const container = process && registry.byCgroup(process.cgroups);
        if (container) {
          return { workload: workloadOf(complete(container)), process: basename(process.executable) || process.name };
        }
        return process && isHost(process.cgroups) ? null : undefined;
      },
      epochMs,
      directory: this.#directory,
      hostNetwork: hostNetwork(),
      emit: (flow) => this.#seen(flow),
    });
    for (const container of registry.containers()) this.#know(container);
  }

  take(records: readonly TrafficRecord[]): void {
    this.#traffic?.take(records);
  }

  health(): Component {
    const { flows = 0, unknown = 0, forgotten = 0 } = this.#traffic?.counters ?? {};
    return {
      id: "flows",
      node: this.#options.node,
      state: this.#traffic ? "ok" : "off",
      summary: this.#traffic ? "Counts what containers send and receive" : "What containers send is not seen",
      reason: this.#traffic ? "" : "the sensor does not run",
      remedy: this.#traffic ? "" : "see the sensor",
      counters: { flows, unknown, forgotten, denied: this.#denied },
      updatedAt: Date.now(),
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#settling);
    this.#traffic?.end();
  }

  #know(container: Container): void {
    const { pid, startedAt } = container;
    if (pid !== null) this.#traffic?.know(workloadOf(this.#options.complete(container)), pid, startedAt ?? Date.now());
  }

  #seen(flow: Flow): void {
    if (flow.result !== "denied") return;
    this.#denied += flow.connections;
    this.#options.denied(flow, flow.deniedBy === egress ? "egress" : "ingress");
  }
}

/** As the kernel side numbers the directions (`enum net_direction`). */
const egress = "1";
