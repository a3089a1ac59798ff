import type { Entry } from "@bulwark/detect";
import type { ProcessRecord, SensorRecord } from "@bulwark/sensor";
import { BrokenLine, isObject, nanosecondsAt, objectAt, objectsAt, shown, type Json } from "../json.ts";
import { readers } from "./events.ts";
import { continues, hasFlag, Identities, nobody, type Identity } from "./identity.ts";
import type { Owners } from "./owners.ts";
import { actorOf, bootTime, exitStatus, processRecord } from "./process.ts";

export interface TetragonReaderOptions {
  readonly owners: Owners;
  /** The process as the process table has it. */
  find(pid: number, startTime: bigint): Pick<Entry, "parentPid" | "parentStartTime"> | undefined;
  /** Called for what nothing can be made of: of which kind it is, and why. */
  passOver(kind: string): void;
}

const mostAncestors = 32;
const lives: ReadonlySet<string> = new Set(["process_exec", "process_exit"]);
const kinds = /^process_[a-z]+$/;

/** The kind of an event as `tetra getevents -o json` and Tetragon's export write it; undefined where it is none. */
export function tetragonKind(record: Json): string | undefined {
  for (const kind in record) if (kinds.test(kind) && isObject(record[kind])) return kind;
  return undefined;
}

/**
 * Events of one node as records of the sensor, in their order. A process that the table does not know comes before what
 * it did, with those above it, as far as the event tells of them.
 */
export class TetragonReader {
  readonly #identities = new Identities();
  readonly #options: TetragonReaderOptions;

  constructor(options: TetragonReaderOptions) {
    this.#options = options;
  }

  /** `at`: nanoseconds since the epoch. Raises `BrokenLine` where it is not told who did it. */
  read(kind: string, event: Json, at: bigint): SensorRecord[] {
    const reader = readers.get(kind);
    if (reader === undefined && !lives.has(kind)) {
      this.#options.passOver(`${kind}: not understood`);
      return [];
    }
    const process = objectAt(event["process"]);
    const above = [...objectsAt(event["ancestors"], mostAncestors).toReversed(), objectAt(event["parent"])];
    const records: SensorRecord[] = above.flatMap((one) => ("exec_id" in one ? this.#introduced(one, {}, at) : []));
    const identity = this.#identities.of(process);
    if (identity === undefined) throw new BrokenLine(`${kind} of no process: ${shown(event["process"])}`);
    const parent = objectAt(event["parent"]);
    const time = bootTime(process, identity, at);
    if (kind === "process_exec") {
      const type = hasFlag(process, "procFS") ? "snapshot" : "exec";
      return [...records, this.#processRecord(type, process, identity, parent, time)];
    }
    const introduced = this.#introduced(process, parent, at);
    const actor = actorOf(process, identity, time);
    if (reader === undefined) {
      const { pid, startTime, sequence } = actor;
      return [...records, ...introduced, { type: "exit", sequence, time, pid, startTime, exitCode: exitStatus(event) }];
    }
    const { what, reading } = reader(event);
    if (typeof reading === "string") {
      this.#options.passOver(`${what === "" ? kind : `${kind} ${what}`}: ${reading}`);
      return [...records, ...introduced];
    }
    const done: SensorRecord =
      reading.type === "connect"
        ? { ...reading, sequence: 0n, time, ...identity, networkNamespace: actor.networkNamespace }
        : { ...actor, ...reading };
    return [...records, ...introduced, done];
  }

  /** A process as it was before: nothing is judged of it. */
  #introduced(process: Json, parent: Json, at: bigint): ProcessRecord[] {
    const identity = this.#identities.of(process);
    if (identity === undefined || this.#options.find(identity.pid, identity.startTime)) return [];
    return [this.#processRecord("snapshot", process, identity, parent, bootTime(process, identity, at))];
  }

  #processRecord(
    type: "exec" | "snapshot",
    process: Json,
    identity: Identity,
    parent: Json,
    time: bigint,
  ): ProcessRecord {
    const cgroups = this.#options.owners.cgroupsOf(process, identity.pid);
    return processRecord(type, process, { identity, parent: this.#parentOf(process, identity, parent), cgroups }, time);
  }

  /** Of a process that runs another program than before, Tetragon's parent is the one before: above it is the parent. */
  #parentOf(process: Json, identity: Identity, parent: Json): Identity {
    const told = (one: Json): Identity | undefined =>
      typeof one["parent_exec_id"] === "string" ? this.#identities.byId(one["parent_exec_id"]) : undefined;
    if (!continues(process, identity)) return told(process) ?? nobody;
    const known = this.#options.find(identity.pid, identity.startTime);
    if (known) return { pid: known.parentPid, startTime: known.parentStartTime };
    const above = told(parent);
    return above === undefined || above.pid === identity.pid ? nobody : above;
  }
}

/** Nanoseconds since the epoch at which an event was seen. */
export function timeOf(record: Json, event: Json): bigint {
  // Events of the loader have no time of their own.
  const time = nanosecondsAt(record["time"]) ?? nanosecondsAt(objectAt(event["process"])["start_time"]);
  if (time === undefined) throw new BrokenLine(`time is none: ${shown(record["time"])}`);
  return time;
}
