import type { AgentRecord, Alert, Attribution, Container, Event, ProcessEvent } from "@bulwark/model";
import { errorText } from "@bulwark/model/plain";
import type { LossRecord, SensorRecord } from "@bulwark/sensor";
import { toActivity, type Activity } from "./activities.ts";
import { AlertShares } from "./alert-shares.ts";
import { createLossWatch } from "./blindness.ts";
import { toAncestor, toContainerRef, toProcess } from "./convert.ts";
import {
  observationKinds,
  type Detection,
  type Detector,
  type Happened,
  type Observation,
  type ObservationKind,
} from "./detector.ts";
import { interpreterKind } from "./interpreters.ts";
import { markForeign } from "./foreign-file.ts";
import { OpenWrites } from "./open-writes.ts";
import { ProcessTable, type Entry } from "./process-table.ts";
import { Repeats } from "./repeats.ts";

/** Whose a process is. `undefined`: not known yet, ask again. */
export type Owner = { attribution: "container"; container: Container } | { attribution: "host" } | undefined;

export interface PipelineOptions {
  node: string;
  /** Names this run of the sensor: ids of events begin with it. */
  run: string;
  detectors: readonly Detector[];
  /** By the cgroup paths of a process. `last`: there is no waiting any more, what is known has to do. */
  ownerOf(cgroups: readonly string[], last: boolean): Owner;
  /** Keep what host processes do as well. */
  host: boolean;
  /** Bound of the process table; 200,000 unless said otherwise. */
  processes?: number;
  /** Events that may be lost within a minute before that is an alert; 100 unless said otherwise. */
  lossLimit?: number;
  /** Events are counted and not emitted: who wants alerts alone need not have them put together. */
  alertsOnly?: boolean;
  /** Kernel time (nanoseconds since boot) to milliseconds since the epoch. */
  epoch(time: bigint): number;
  /** Milliseconds by a clock that nobody sets: `steadyClock` where records come as they happen, else `recordedClock`. */
  now(): number;
  emit(records: AgentRecord[]): void;
  /** Asked when something waits for its owner: look for new containers. */
  missingOwner(): void;
  /**
   * Whether a process is of Bulwark itself at its work: what it does is not judged, the programs that it starts are. Asked
   * of each deed; so as not to be a way around, it has to know more than a name.
   */
  isOwn?(process: Entry, table: ProcessTable): boolean;
  /** Asked when a shell has connected: look at its descriptors soon, and call `look` with what is there. */
  watchShell?(process: Entry): void;
}

/** Milliseconds since the epoch as it was when it was made: steps of the wall clock change nothing of it. */
export function steadyClock(): () => number {
  const start = Date.now() - performance.now();
  return () => start + performance.now();
}

/** Milliseconds that an event waits for its container to be known, before its owner is called unknown. */
const patience = 2000;
/** Milliseconds between two records of what has happened again, and of how many alerts each may tell. */
const repeatsEvery = 5000;
const repeatsAtOnce = 1000;
/** Events that may wait; more are judged without waiting, and counted. */
const waitingLimit = 20_000;

/** What a record told, as it was at that time. */
interface Happening {
  /** Asked for only of what is told on. */
  id(): string;
  time: number;
  process: Entry;
  ancestors(): Entry[];
}

/** With what is known by then: whose it is, and what the process was when it happened. */
type Judge = (owner: Owner, happening: Happening) => void;

interface Waiting {
  cgroups: readonly string[];
  until: number;
  judge(owner: Owner): void;
}

/**
 * From what the kernel said to events and alerts. The process table takes a record in at once, in order; judging it waits
 * until its container is known, without holding up the events of others.
 */
export class Pipeline {
  readonly table: ProcessTable;
  readonly #options: PipelineOptions;
  readonly #repeats = new Repeats();
  readonly #shares = new AlertShares();
  /** A name that a container asks for all day is an event once in a while. */
  readonly #questions = new Repeats(600_000, 20_000);
  #losses: ReturnType<typeof createLossWatch>;
  #run: string;
  /** Kernel time of the latest that the sensor told, and of the latest that the one before it told. */
  #toldUntil = 0n;
  #toldBefore = 0n;
  readonly #openWrites = new OpenWrites();
  readonly #out: AgentRecord[] = [];
  /** By what they need. */
  readonly #detectors: ReadonlyMap<ObservationKind, readonly Detector[]>;
  #waiting: Waiting[] = [];
  #repeatsTold = 0;
  /** Events whose owner was not found in time, and events that could not wait because too many did. */
  readonly counters = { events: 0, alerts: 0, repeats: 0, unknown: 0, impatient: 0 };
  /** Detectors that raised an error, which is a defect of ours: how often, and what they said last. The others went on. */
  readonly faults = new Map<string, { count: number; message: string }>();

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#detectors = new Map(
      observationKinds.map((kind) => [kind, options.detectors.filter(({ needs }) => needs.includes(kind))]),
    );
    this.#losses = this.#newLossWatch();
    this.#run = options.run;
    this.table = new ProcessTable({
      ...(options.processes === undefined ? {} : { limit: options.processes }),
      isHost: (cgroups) => options.ownerOf(cgroups, false)?.attribution === "host",
    });
  }

  /**
   * The records from now on are of another sensor, begun while the one before still ran: what both have seen is passed over.
   * Everything that is known of processes stays. `run` as in the options.
   */
  handOver(run: string): void {
    this.#run = run;
    this.#losses = this.#newLossWatch();
    this.#toldBefore = this.#toldUntil;
  }

  /** Takes in records in the order in which the sensor sent them. Answers with those that were not passed over. */
  push(records: readonly SensorRecord[]): readonly SensorRecord[] {
    const now = this.#options.now();
    const news = this.#toldBefore === 0n ? records : records.filter((record) => !this.#isKnown(record));
    for (const record of news) this.#take(record, now);
    this.#flush();
    return news;
  }

  /** Judges what has waited; to be called when containers have come, and every few hundred milliseconds. */
  settle(): void {
    const now = this.#options.now();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const item of waiting) {
      const owner = this.#options.ownerOf(item.cgroups, now >= item.until);
      if (owner) item.judge(owner);
      else if (now >= item.until) {
        this.counters.unknown++;
        item.judge(undefined);
      } else this.#waiting.push(item);
    }
    if (this.#waiting.length > 0) this.#options.missingOwner();
    this.#tellRepeats(now);
    this.#flush();
  }

  /** What a look at a living process found on its standard descriptors; `time`: milliseconds since the epoch. */
  look(process: Entry, stdio: Entry["stdio"], time: number): void {
    const happening = this.#happening(`look-${process.pid}-${process.startTime}`, time, { ...process, stdio });
    this.#soon(happening, (owner, then) => this.#detect({ kind: "look" }, then, owner));
    this.#flush();
  }

  /** Whether it says nothing that the sensor before has not said. */
  #isKnown(record: SensorRecord): boolean {
    if (record.type === "loss" || record.type === "ready") return false;
    if (record.type !== "snapshot") return record.time <= this.#toldBefore;
    const entry = this.table.get(record.pid, record.startTime);
    // How it began is known, and only this perhaps was not asked for.
    if (entry && record.environment) {
      const { environment, environmentCut } = record;
      Object.assign(entry, { environment, environmentCut, memory: {} });
    }
    return entry !== undefined;
  }

  #newLossWatch(): ReturnType<typeof createLossWatch> {
    return createLossWatch(this.#options.lossLimit ?? 100);
  }

  #take(told: SensorRecord, now: number): void {
    if (told.type === "loss") this.#lost(told);
    else if (told.type !== "snapshot" && told.time > this.#toldUntil) this.#toldUntil = told.time;
    const process = this.table.apply(told, now);
    if (!process) return;
    const record = markForeign(told, process);
    const happening = this.#happening(record.sequence, this.#options.epoch(record.time), process);
    const { isRuntime, service } = process;
    const { type } = record;
    switch (type) {
      case "snapshot":
      case "accept":
      case "loss":
      case "ready":
        return;
      case "exec":
      case "fork":
      case "exit":
      case "connect":
        if (type === "connect" && interpreterKind(process)) this.#options.watchShell?.(process);
        this.#soon(happening, (owner, then) => {
          if (type === "exec" && isRuntime && !isWhereRuntimesAre(owner)) return;
          if (type !== "fork") this.#event(lifeOf(type, record), then, owner);
          this.#detect({ kind: type, record }, then, owner);
        });
        return;
      default: {
        if (!this.#openWrites.isNews(record)) return;
        if ((isRuntime && service === undefined) || this.#options.isOwn?.(process, this.table) === true) return;
        const activity = toActivity(record);
        const isEvent = activity !== undefined && isKept(activity) && this.#isNews(record, now);
        this.#soon(happening, (owner, then) => {
          if (isRuntime && !isWhereRuntimesAre(owner)) return;
          if (isEvent) this.#event(activity, then, owner);
          // The compiler does not see that a record and its own type belong together.
          this.#detect({ kind: record.type, record } as Happened, then, owner);
        });
      }
    }
  }

  #lost(loss: LossRecord): void {
    const { node, epoch } = this.#options;
    const alert = this.#losses(loss, { id: `${node}/${this.#run}/${loss.sequence}`, node, time: epoch(loss.time) });
    if (!alert) return;
    this.counters.alerts++;
    this.#out.push({ type: "alert", alert });
  }

  #isNews(record: SensorRecord, now: number): boolean {
    if (record.type !== "dns") return true;
    const question = `${record.networkNamespace} ${record.kind} ${record.name}`;
    if (!this.#questions.isNew(question, now)) return false;
    this.#questions.note(question, now);
    return true;
  }

  #happening(number: bigint | string, time: number, process: Entry): Happening {
    let found: Entry[] | undefined;
    return {
      id: () => `${this.#options.node}/${this.#run}/${number}`,
      time,
      process,
      ancestors: () => (found ??= this.table.ancestors(process)),
    };
  }

  #soon(happening: Happening, judge: Judge): void {
    const { cgroups } = happening.process;
    const isFull = this.#waiting.length >= waitingLimit;
    const owner = this.#options.ownerOf(cgroups, isFull);
    if (owner) return judge(owner, happening);
    if (isFull) {
      this.counters.impatient++;
      return judge(undefined, happening);
    }
    if (this.#waiting.length === 0) this.#options.missingOwner();
    // The table goes on: others take the ancestors' place, and the process connects and ends.
    happening.ancestors();
    const then = { ...happening, process: { ...happening.process } };
    this.#waiting.push({ cgroups, until: this.#options.now() + patience, judge: (found) => judge(found, then) });
  }

  #event(what: Life | Activity, { id, time, process, ancestors }: Happening, owner: Owner): void {
    if (owner?.attribution === "host" && !this.#options.host) return;
    this.counters.events++;
    if (this.#options.alertsOnly === true) return;
    const event: Event = {
      id: id(),
      time,
      node: this.#options.node,
      ...identity(owner),
      process: toProcess(process),
      ancestors: ancestors().map(toAncestor),
      ...what,
    };
    this.#out.push({ type: "event", event });
  }

  #detect(happened: Happened, happening: Happening, owner: Owner): void {
    const { process, time } = happening;
    // What the kernel starts is the host's by its cgroup, also where a container made it do so.
    if (owner?.attribution === "host" && !this.#options.host && !process.kernelParent) return;
    const container = owner?.attribution === "container" ? owner.container : undefined;
    const attribution = owner?.attribution ?? "unknown";
    const observation: Observation = { ...happened, process, table: this.table, container, attribution, time };
    let isTold = false;
    for (const detector of this.#detectors.get(happened.kind) ?? []) {
      const found = this.#ask(detector, observation);
      if (found === undefined) continue;
      const hasSpoken = isTold;
      for (const detection of Array.isArray(found) ? (found as readonly Detection[]) : [found as Detection]) {
        if (detection.yields === true && hasSpoken) continue;
        isTold = true;
        this.#raise(detector, detection, happening, owner);
      }
    }
  }

  /** One that raises an error blinds neither the others nor the node. */
  #ask(detector: Detector, observation: Observation): ReturnType<Detector["detect"]> {
    try {
      return detector.detect(observation);
    } catch (error) {
      const count = (this.faults.get(detector.id)?.count ?? 0) + 1;
      this.faults.set(detector.id, { count, message: errorText(error) });
      return undefined;
    }
  }

  /** Answers with its id. */
  #alert(detector: Detector, detection: Detection, { id, time, process, ancestors }: Happening, owner: Owner): string {
    const { subject } = detection;
    const above = subject === process ? ancestors() : this.table.ancestors(subject);
    const rule = detection.rule ?? detector;
    const alert: Alert = {
      id: `${id()}/${rule.id}`.slice(0, 256),
      time,
      node: this.#options.node,
      rule: rule.id,
      title: rule.title,
      description: rule.description,
      remedy: rule.remedy,
      severity: detection.severity ?? detector.severity,
      techniques: detection.techniques ?? detector.techniques,
      ...identity(owner),
      process: toProcess(subject),
      ancestors: above.map(toAncestor),
      evidence: detection.evidence.map(({ key, value }) => ({ key, value: value.slice(0, 4096) })),
      events: [id()],
    };
    this.counters.alerts++;
    this.#out.push({ type: "alert", alert });
    return alert.id;
  }

  /** The same of the same container is an alert once in a while, and so is more than its share; counted meanwhile. */
  #raise(detector: Detector, detection: Detection, happening: Happening, owner: Owner): void {
    const container = owner?.attribution === "container" ? owner.container.id : "";
    const whose = `${detection.rule?.id ?? detector.id}\u0000${container}`;
    const key = `${whose}\u0000${detection.key}`;
    const now = this.#options.now();
    const counted = this.#repeats.isNew(key, now) ? this.#shares.take(whose, key, now) : key;
    if (counted === undefined) {
      this.#repeats.note(key, now, this.#alert(detector, detection, happening, owner));
    } else {
      this.counters.repeats++;
      this.#repeats.again(counted, happening.time);
    }
  }

  /** Tells what has happened again, so often that a page is right and so seldom that it costs nothing. */
  #tellRepeats(now: number): void {
    if (now - this.#repeatsTold < repeatsEvery) return;
    this.#repeatsTold = now;
    const repeats = this.#repeats.take(repeatsAtOnce);
    if (repeats.length > 0) this.#out.push({ type: "repeats", repeats });
  }

  #flush(): void {
    if (this.#out.length > 0) this.#options.emit(this.#out.splice(0));
  }
}

/** Folders in which a change is worth keeping; what programs write elsewhere all day is looked at and forgotten. */
const keptFolders = /^\/(?:etc|bin|sbin|lib(?:64)?|usr|root|boot|var\/(?:spool\/cron|log|www))\//;

function isKept(activity: Activity): boolean {
  return activity.kind !== "file" || activity.file.operation === "read" || keptFolders.test(activity.file.path);
}

/** A container that has neither files nor processes of its own: what a runtime begins and what it begins there look alike. */
function isWhereRuntimesAre(owner: Owner): boolean {
  if (owner?.attribution !== "container") return false;
  const { hostNamespaces } = owner.container;
  return hostNamespaces.includes("mnt") && hostNamespaces.includes("pid");
}

type Life = Pick<ProcessEvent, "kind" | "exitCode" | "connection">;

function lifeOf(kind: Life["kind"], record: SensorRecord): Life {
  return {
    kind,
    exitCode: record.type === "exit" ? record.exitCode : null,
    connection: record.type === "connect" ? { protocol: "tcp", local: record.local, remote: record.remote } : null,
  };
}

function identity(owner: Owner): { attribution: Attribution; container: ProcessEvent["container"] } {
  if (owner?.attribution !== "container") return { attribution: owner?.attribution ?? "unknown", container: null };
  return { attribution: "container", container: toContainerRef(owner.container) };
}
