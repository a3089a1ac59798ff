import { Pipeline, recordedClock, type Detector } from "@bulwark/detect";
import type { AgentRecord } from "@bulwark/model";
import { errorText, linesOf, longestLine } from "@bulwark/model/plain";
import { falcoAlert, isFalco, isFalcoMetrics } from "./falco.ts";
import { BrokenLine, bigAt, isObject, objectAt, textAt, type Json } from "./json.ts";
import { Latest } from "./latest.ts";
import { Owners } from "./tetragon/owners.ts";
import { TetragonReader, tetragonKind, timeOf } from "./tetragon/reader.ts";

export interface ForeignOptions {
  /** The node of lines that name none. */
  readonly node: string;
  /** Keep what processes of the host do as well. */
  readonly host: boolean;
  /** Events are counted and not emitted. */
  readonly alertsOnly: boolean;
  /** Detectors with a state of their own: asked once for each node. */
  detectors(): readonly Detector[];
  emit(records: readonly AgentRecord[]): void;
}

export interface ForeignSummary {
  /** Lines that were not empty. */
  lines: number;
  /** Alerts of Falco. */
  falco: number;
  /** Events of Tetragon. */
  tetragon: number;
  /** Events that Bulwark kept, and alerts, Falco's among them. */
  events: number;
  alerts: number;
  /** Events whose process Tetragon did not know itself. */
  unknown: number;
  /** Events that Tetragon says it has dropped. */
  lost: number;
  /** Processes that were forgotten although they may live: too many lived at once. */
  forgotten: number;
  /** Detectors that raised an error, which is a defect of ours. */
  faults: number;
  broken: number;
  /** The first of them of each source. */
  readonly examples: { readonly source: string; readonly line: number; readonly reason: string }[];
  /** Sources that could not be read to their end: `file: reason`. */
  readonly failed: string[];
  /** What was understood and is none of Bulwark's events, by kind. */
  readonly passedOver: Map<string, number>;
}

export interface Foreign {
  /** Reads lines to their end, each as what it is; a broken one stops none of the others. `source` names them. */
  read(source: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** What was read until now. */
  summary(): ForeignSummary;
}

const mostExamples = 5;
const mostNodes = 64;
/** Of one node; of a node that has more, the ones that ended first are forgotten, then the oldest. */
const mostProcesses = 20_000;
const mostKinds = 200;
/** What `kubectl logs --prefix` and the runtime's log files write before a line. */
const prefix = /^(?:\[[^\]]{1,512}\] |\S{20,40} (?:(?:stdout|stderr) [FP] )?)(?=\{)/;
/** What Falco writes of itself, in text whatever `json_output` says. */
const falcoLog = /^(?:\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}): /;

/**
 * Events of Falco and of Tetragon as JSON, in any mix, line by line. Alerts of Falco are told as they are; events of
 * Tetragon go through a pipeline of their node, as the sensor's own would. Its detectors are given what Tetragon tells,
 * and no more: descriptors and their peers, sessions and the layers of files are not in it.
 */
export function createForeign(options: ForeignOptions): Foreign {
  const summary: ForeignSummary = {
    ...{
      lines: 0,
      falco: 0,
      tetragon: 0,
      events: 0,
      alerts: 0,
      unknown: 0,
      lost: 0,
      forgotten: 0,
      faults: 0,
      broken: 0,
    },
    examples: [],
    failed: [],
    passedOver: new Map(),
  };
  const nodes = new Latest<Node>(mostNodes, (node) => node.addTo(summary));
  const passOver = (kind: string): void => {
    const { passedOver } = summary;
    const name = passedOver.has(kind) || passedOver.size < mostKinds ? kind : "others";
    passedOver.set(name, (passedOver.get(name) ?? 0) + 1);
  };

  return {
    async read(source, chunks) {
      let told = 0;
      const broken = (line: number, reason: string): void => {
        summary.broken++;
        if (told++ < mostExamples) summary.examples.push({ source, line, reason });
      };
      try {
        for await (const { number, line } of linesOf(chunks)) {
          if (line === "") continue;
          summary.lines++;
          if (line === undefined) broken(number, `longer than ${longestLine} bytes`);
          else if (falcoLog.test(line)) passOver("falco: its own log");
          else takeLine(line, (reason) => broken(number, reason));
        }
      } catch (error) {
        summary.failed.push(`${source}: ${errorText(error)}`);
      }
    },
    summary() {
      const all = { ...summary };
      for (const node of nodes.values()) node.addTo(all);
      return all;
    },
  };

  function takeLine(line: string, broken: (reason: string) => void): void {
    try {
      take(parse(line.replace(prefix, "")));
    } catch (error) {
      if (!(error instanceof BrokenLine)) throw error;
      broken(error.message);
    }
  }

  function take(record: Json): void {
    const kind = tetragonKind(record);
    if (kind !== undefined) takeEvent(kind, record);
    else if (isFalco(record)) takeAlert(record);
    else if (isObject(record["rate_limit_info"])) {
      summary.tetragon++;
      summary.lost += Number(bigAt(record["rate_limit_info"]["number_of_dropped_process_events"]) ?? 0n);
    } else throw new BrokenLine("neither an alert of Falco nor an event of Tetragon");
  }

  function takeAlert(record: Json): void {
    if (isFalcoMetrics(record)) return passOver("falco: metrics snapshot");
    const alert = falcoAlert(record, options.node);
    summary.falco++;
    summary.alerts++;
    options.emit([{ type: "alert", alert }]);
  }

  function takeEvent(kind: string, record: Json): void {
    const event = objectAt(record[kind]);
    const time = timeOf(record, event);
    const name = textAt(record["node_name"], 256) || options.node;
    let node = nodes.get(name);
    if (node === undefined) {
      node = new Node(name, options, passOver);
      nodes.set(name, node);
    }
    node.take(kind, event, time);
    summary.tetragon++;
  }
}

/** What is known of one node: ids of processes are its own. */
class Node {
  readonly #pipeline: Pipeline;
  readonly #reader: TetragonReader;
  #sequence = 0n;
  readonly #clock = recordedClock();
  /** Milliseconds since the epoch of the event that is being taken, and by the clock of all so far. */
  #at = 0;
  #now = 0;

  constructor(name: string, { host, alertsOnly, detectors, emit }: ForeignOptions, passOver: (kind: string) => void) {
    const owners = new Owners(name);
    const pipeline = new Pipeline({
      node: name,
      run: "tetragon",
      detectors: detectors(),
      host,
      alertsOnly,
      processes: mostProcesses,
      ownerOf: (cgroups) => owners.get(cgroups),
      epoch: () => this.#at,
      now: () => this.#now,
      emit,
      missingOwner() {},
    });
    this.#pipeline = pipeline;
    this.#reader = new TetragonReader({ owners, passOver, find: (pid, start) => pipeline.table.get(pid, start) });
  }

  take(kind: string, event: Json, time: bigint): void {
    this.#at = Number(time / 1_000_000n);
    this.#now = this.#clock(this.#at);
    const records = this.#reader.read(kind, event, time);
    for (const record of records) record.sequence = ++this.#sequence;
    this.#pipeline.push(records);
    // Whose a process is comes with the event or never: nothing is gained by waiting.
    const now = this.#now;
    this.#now += patience;
    this.#pipeline.settle();
    this.#now = now;
  }

  addTo(summary: ForeignSummary): void {
    const { events, alerts, unknown } = this.#pipeline.counters;
    summary.events += events;
    summary.alerts += alerts;
    summary.unknown += unknown;
    summary.forgotten += this.#pipeline.table.evicted;
    for (const { count } of this.#pipeline.faults.values()) summary.faults += count;
  }
}

/** Milliseconds after which the pipeline does not wait any more for an owner. */
const patience = 60_000;

function parse(line: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new BrokenLine(`no JSON: ${errorText(error).slice(0, 120)}`);
  }
  if (isObject(value)) return value;
  throw new BrokenLine("JSON, but no object");
}
