import { randomUUID } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { isHost, type ContainerRegistry } from "@bulwark/containers";
import {
  createDetectors,
  ownProcesses,
  Pipeline,
  sensorEndedAlert,
  ShellWatch,
  steadyClock,
  type Detector,
  type Owner,
} from "@bulwark/detect";
import { errorText, type AgentRecord, type Component } from "@bulwark/model";
import {
  argumentsOf,
  coverageOf,
  MARKING_MS,
  sensorAvailability,
  sensorBinary,
  startSensor,
  type Sensor,
  type SensorAsks,
  type SensorError,
  type SensorRecord,
} from "@bulwark/sensor";
import type { Logger } from "@bulwark/telemetry";
import type { PodBook } from "./pods.ts";
import { SensorEnforcer } from "./enforcer.ts";
import type { Flows } from "./flows.ts";
import type { NetworkPolicies } from "./network-policies.ts";

export interface WatcherOptions {
  node: string;
  host: boolean;
  /** Events a second that a container may make, and that may be lost within a minute before that is an alert. */
  eventRate: number;
  lossLimit: number;
  /** What its rules need besides what is told anyway (`needsOf`), at first. */
  asks: SensorAsks;
  registry: ContainerRegistry;
  /** Undefined where this node is of no cluster. */
  pods: PodBook | undefined;
  /** Besides the detectors that are always there; asked for when the sensor runs. */
  rules: () => Detector;
  /** Undefined: what containers send is not counted, no network policy is enforced. */
  flows?: Flows | undefined;
  network?: NetworkPolicies | undefined;
  log: Logger;
  emit(records: AgentRecord[]): void;
}

/** One run of the sensor. */
interface Run {
  readonly sensor: Sensor;
  readonly startedAt: number;
  /** What it told while it was not its turn yet. */
  early: SensorRecord[] | undefined;
  /** It ended by itself. */
  end: SensorError | undefined;
}

const settleInterval = 100;
const firstDelay = 500;
const lastDelay = 30_000;
/** A sensor that has run for so long is trusted again. */
const soundAfter = 60_000;
/** For so long a loss says how the sensor is; after that only the counters keep it. */
const lossCounts = 900_000;
/** A sensor that ends again and again for the same reason is one alert in so long. */
const endTold = 3_600_000;

/** Keeps the sensor running and turns what it says into events and alerts. */
export class Watcher implements AsyncDisposable {
  readonly enforcer: SensorEnforcer;
  readonly #options: WatcherOptions;
  #pipeline: Pipeline | undefined;
  #shells: ShellWatch | undefined;
  #asks: SensorAsks;
  /** The one whose records are judged. */
  #run: Run | undefined;
  /** The one that prevents: the next one does before its records are judged. */
  #enforcing: Run | undefined;
  /** It is about to be the one whose records are judged. */
  #next: Run | undefined;
  /** What is asked for and not told, because no sensor could be started that tells it. */
  #unasked: { message: string; remedy: string } | undefined;
  /** One start after the other. */
  #turn: Promise<void> = Promise.resolve();
  #error: { message: string; remedy: string; off: boolean } | undefined;
  /** Of the sensor that runs. */
  #losses = noLosses;
  #lostAt = -Infinity;
  #end = { reason: "", at: -Infinity };
  #restarts = 0;
  #delay = firstDelay;
  #retry: NodeJS.Timeout | undefined;
  #stopping = false;
  readonly #settling: NodeJS.Timeout;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#asks = options.asks;
    this.enforcer = new SensorEnforcer(options.log);
    this.#settling = setInterval(() => this.#pipeline?.settle(), settleInterval);
    options.registry.on("started", () => this.#pipeline?.settle());
  }

  /** Starts the sensor. Resolves when it runs, or when it is known why it does not. */
  async start(): Promise<void> {
    await this.#inTurn(async () => this.#start());
  }

  /**
   * Its rules need something else of the sensor: one that tells it takes the place of the one that runs, without a gap, and
   * everything that is known of processes stays. Where there is none, the one that runs goes on.
   */
  async ask(asks: SensorAsks): Promise<void> {
    await this.#inTurn(async () => this.#replace(asks));
  }

  async #inTurn(act: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      if (!this.#stopping) await act();
    });
    await this.#turn;
  }

  async #start(): Promise<void> {
    const { available, reason, remedy } = sensorAvailability();
    if (!available) {
      this.#error = { message: reason, remedy, off: true };
      return;
    }
    const startedAt = Date.now();
    try {
      const run = await this.#newRun(this.#asks);
      this.#error = undefined;
      this.#begin(run, this.#newPipeline());
      if (this.#run !== run) return;
      this.#enforcing = run;
      await this.enforcer.use(run.sensor);
      void this.#options.network?.use(run.sensor);
    } catch (error) {
      this.#ended(error, startedAt);
    }
  }

  async #replace(asks: SensorAsks): Promise<void> {
    const former = this.#run;
    const pipeline = this.#pipeline;
    if (!former || !pipeline) {
      // It has died, or there cannot be one: the next that starts is asked for it.
      this.#asks = asks;
      return;
    }
    const { network, log } = this.#options;
    let run: Run;
    try {
      run = await this.#newRun(asks);
    } catch (error) {
      this.#unasked = { message: errorText(error), remedy: (error as Partial<SensorError>).remedy ?? "" };
      log.error({ reason: errorText(error) }, "the sensor does not tell what rules ask for now; it goes on as it was");
      return;
    }
    this.#asks = asks;
    this.#unasked = undefined;
    // It has died meanwhile, and another is on its way.
    if (this.#run !== former) return run.sensor.close();
    this.#next = run;
    // What is prevented is prevented by the next one before the former one ends.
    this.#enforcing = run;
    await this.enforcer.takeOver(run.sensor, former.sensor);
    await network?.use(run.sensor);
    await pause(MARKING_MS);
    await former.sensor.close();
    this.#next = undefined;
    pipeline.handOver(newRunName());
    this.#begin(run, pipeline);
    log.info({ asks }, "another sensor took over, which tells what rules ask for now");
  }

  async #newRun(asks: SensorAsks): Promise<Run> {
    const { flows, host, eventRate } = this.#options;
    const run: Omit<Run, "sensor"> = { startedAt: Date.now(), early: [], end: undefined };
    const sensor = await startSensor({
      ...{ host, eventRate, ...asks },
      enforce: true,
      onEnforcement: (record) => {
        if (this.#enforcing === run) this.enforcer.told(record);
        else if (this.#run === run) this.enforcer.toldByFormer(record);
      },
      ...(flows && {
        flows: {
          onTraffic: (records) => {
            if (this.#run === run) flows.take(records);
          },
        },
      }),
      onRecords: (records) => {
        if (run.early) run.early.push(...records);
        else this.#take(records);
      },
      onExit: (error) => {
        run.end = error;
        if (this.#run === run) this.#died(error, run.startedAt);
      },
    });
    return Object.assign(run, { sensor });
  }

  /** Its records are judged from now on. */
  #begin(run: Run, pipeline: Pipeline): void {
    this.#run = run;
    this.#losses = noLosses;
    this.#options.flows?.begin(pipeline.table, (time) => run.sensor.epochMs(time));
    const { early = [] } = run;
    run.early = undefined;
    this.#take(early);
    if (run.end) this.#died(run.end, run.startedAt);
  }

  #died(error: SensorError, startedAt: number): void {
    this.#tellEnd(error);
    // The one that takes its place runs already.
    if (!this.#next) this.#ended(error, startedAt);
  }

  health(): Component {
    const { node } = this.#options;
    const { ring, pipe, unreadable, limited, files } = this.#losses;
    const pipeline = this.#pipeline?.counters;
    const counters = {
      events: pipeline?.events ?? 0,
      alerts: pipeline?.alerts ?? 0,
      repeats: pipeline?.repeats ?? 0,
      restarts: this.#restarts,
      "lost.ring": Number(ring),
      "lost.pipe": Number(pipe),
      "lost.unreadable": Number(unreadable),
      "lost.limited": Number(limited),
      "lost.files": Number(files),
      "lost.flows": Number(this.#losses.flows),
      "unknown.container": pipeline?.unknown ?? 0,
      impatient: pipeline?.impatient ?? 0,
      "skipped.shells": this.#shells?.skipped ?? 0,
      "evicted.processes": this.#pipeline?.table.evicted ?? 0,
      "failed.detectors": this.#pipeline?.faults.size ?? 0,
    };
    const common = { id: "sensor", node, counters, updatedAt: Date.now() };
    if (this.#error) {
      const { message, remedy, off } = this.#error;
      return {
        ...common,
        state: off ? "off" : "failed",
        summary: "What containers do is not seen",
        reason: message,
        remedy,
      };
    }
    const [fault] = this.#pipeline?.faults ?? [];
    if (fault) {
      const [detector, { count, message }] = fault;
      return {
        ...common,
        state: "degraded",
        summary: "Sees what containers do, but does not judge all of it",
        reason: `${detector} failed ${count} times: ${message}`.slice(0, 2048),
        remedy: "this is a defect of Bulwark: please report it with this text; the other detectors go on",
      };
    }
    if (this.#unasked) {
      const { message, remedy } = this.#unasked;
      return {
        ...common,
        state: "degraded",
        summary: "Sees what containers do, but not all that rules ask for since they changed",
        reason: message.slice(0, 2048),
        remedy: remedy.slice(0, 2048),
      };
    }
    const lost = lostEvents(this.#losses);
    const isLossy = lost > 0n && Date.now() - this.#lostAt < lossCounts;
    const coverage = coverageOf(this.#run?.sensor.hooks ?? []);
    const hooks = coverage.flatMap(({ event, hook }) => (hook === "" ? [] : [`${event}: ${hook}`]));
    const unseen = coverage.flatMap(({ event, hook, isAsked }) => (hook === "" && !isAsked ? [event] : []));
    const without = unseen.length > 0 ? `; not on this kernel: ${unseen.join(", ")}` : "";
    return {
      ...common,
      state: isLossy ? "degraded" : "ok",
      summary: `Sees what containers do (${hooks.join(", ")}${without})`.slice(0, 1024),
      reason: isLossy
        ? `${lost} events were lost since the sensor started, the last at ${new Date(this.#lostAt).toISOString()}`
        : "",
      remedy: isLossy ? "the machine was too busy to keep up; give it more processors, or fewer events" : "",
    };
  }

  /** More is known than a moment ago: judge what waits. */
  settle(): void {
    this.#pipeline?.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#settling);
    clearTimeout(this.#retry);
    this.#shells?.stop();
    await this.#turn;
    await this.#run?.sensor.close();
  }

  #newPipeline(): Pipeline {
    const { node, host, lossLimit, registry, rules, emit } = this.#options;
    const shells = new ShellWatch((process, stdio) => pipeline.look(process, stdio, Date.now()));
    const pipeline: Pipeline = new Pipeline({
      node,
      run: newRunName(),
      detectors: [...createDetectors(), rules()],
      host,
      lossLimit,
      ownerOf: (cgroups, last) => this.#ownerOf(cgroups, last),
      epoch: (time) => this.#run?.sensor.epochMs(time) ?? Date.now(),
      now: steadyClock(),
      emit,
      missingOwner: () => void registry.refresh(),
      isOwn: ownProcesses({ pid: process.pid, programs: ownPrograms }),
      watchShell: (process) => shells.watch(process),
    });
    this.#shells?.stop();
    this.#shells = shells;
    this.#pipeline = pipeline;
    return pipeline;
  }

  #ownerOf(cgroups: readonly string[], last: boolean): Owner {
    const { registry, pods } = this.#options;
    const container = registry.byCgroup(cgroups);
    if (container) {
      if (!last && pods?.isAwaited(container)) return undefined;
      return { attribution: "container", container: pods?.complete(container) ?? container };
    }
    return isHost(cgroups) ? { attribution: "host" } : undefined;
  }

  #take(records: SensorRecord[]): void {
    const pipeline = this.#pipeline;
    if (!pipeline) return;
    for (const record of records) {
      if (record.type === "loss") {
        if (lostEvents(record) > lostEvents(this.#losses)) this.#lostAt = Date.now();
        this.#losses = record;
        this.#options.flows?.lost(Number(record.flows));
      }
      if (record.type === "snapshot") void this.#completeSnapshot(pipeline, record);
    }
    pipeline.push(records);
  }

  async #completeSnapshot(pipeline: Pipeline, { pid, startTime }: { pid: number; startTime: bigint }): Promise<void> {
    const entry = pipeline.table.get(pid, startTime);
    const words = await argumentsOf(pid);
    if (entry?.arguments.length === 0) entry.arguments = words;
  }

  /** Of one that ran; that one cannot be started is told by its health. */
  #tellEnd(error: SensorError): void {
    const { node, emit } = this.#options;
    const reason = errorText(error);
    const now = Date.now();
    if (this.#stopping || (reason === this.#end.reason && now - this.#end.at < endTold)) return;
    this.#end = { reason, at: now };
    const id = `${node}/${randomUUID().slice(0, 8)}`;
    emit([{ type: "alert", alert: sensorEndedAlert(reason, { id, node, time: now }) }]);
  }

  #ended(error: unknown, startedAt: number): void {
    if (this.#stopping) return;
    this.#run = undefined;
    this.#enforcing = undefined;
    this.enforcer.lost();
    this.#options.network?.lost();
    this.#options.flows?.ended();
    const known = error as Partial<SensorError>;
    this.#error = { message: errorText(error), remedy: known.remedy ?? "it is started again by itself", off: false };
    if (Date.now() - startedAt > soundAfter) this.#delay = firstDelay;
    this.#restarts++;
    this.#options.log.error(
      { reason: errorText(error), restartInMs: this.#delay },
      "the sensor ended; it is started again",
    );
    this.#retry = setTimeout(() => void this.start(), this.#delay);
    this.#delay = Math.min(this.#delay * 2, lastDelay);
  }
}

function newRunName(): string {
  return randomUUID().slice(0, 8);
}

const noLosses = { ring: 0n, pipe: 0n, unreadable: 0n, limited: 0n, files: 0n, flows: 0n };

function lostEvents({ ring, pipe, limited, files }: typeof noLosses): bigint {
  return ring + pipe + limited + files;
}

/** What the agent runs as itself and its parts, by their real places. */
const ownPrograms = new Set([process.execPath, ...(existsSync(sensorBinary) ? [realpathSync(sensorBinary)] : [])]);
