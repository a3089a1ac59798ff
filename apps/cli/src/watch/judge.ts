import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { isHost, openContainers, type ContainerRegistry } from "@bulwark/containers";
import {
  createDetectors,
  needsOf,
  Pipeline,
  recordedClock,
  rulesDetector,
  ShellWatch,
  steadyClock,
  tracingPrice,
  type Detector,
  type Needs,
  type Owner,
} from "@bulwark/detect";
import type { Alert } from "@bulwark/model";
import { errorText, jsonLine } from "@bulwark/model/plain";
import { Changes, createEngine, keptRules, problemText, type RuleDocument, type Ruleset } from "@bulwark/rules/run";
import { MARKING_MS, type Sensor, type SensorAsks, type SensorRecord } from "@bulwark/sensor";
import type { Io } from "../command.ts";
import { untilStopped } from "../local/lifetime.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";
import { openRuleFiles } from "../rules/files.ts";
import { startEarly, type EarlySensor } from "./early.ts";
import { openRecording, readRecording } from "./recording.ts";

/** What a pipeline is made of, whatever its records come from. */
export interface Judge extends Pick<
  ConstructorParameters<typeof Pipeline>[0],
  "node" | "run" | "host" | "alertsOnly" | "emit"
> {
  /** With a state of their own: once for each pipeline. */
  detectors(): Detector[];
  /** What the rules need of the sensor. */
  readonly needs: Needs;
  /**
   * From now on rule files that change are read again: those that are whole take the place of the rules that run, errors in
   * others are said. `changed` is called after the former.
   */
  follow(changed?: () => void): Disposable;
}
type Seen = Record<string, number>;

export interface JudgeOptions {
  readonly rules: readonly string[];
  readonly host: boolean;
  readonly json: boolean;
  readonly io: Io;
}

export function openJudge(options: JudgeOptions): Judge {
  const { rules: files, host, json, io } = options;
  const rules = openRuleFiles(files);
  const changes = new Changes({ files: rules.names });
  let ruleset = rulesOf(rules.read(), io);
  let engine = createEngine(ruleset);
  return {
    get needs() {
      return needsOf(ruleset.rules);
    },
    node: hostname(),
    run: "watch",
    detectors: () => [...createDetectors(), rulesDetector({ match: (event) => engine.match(event) })],
    host,
    alertsOnly: true,
    emit(records) {
      for (const item of records) if (item.type === "alert") io.stdout.write(alertLine(item.alert, json));
    },
    follow(changed) {
      changes.follow(() => {
        try {
          ruleset = rulesOf(rules.read(), io);
        } catch (error) {
          io.stderr.write(`${printable(errorText(error))}: the rules before that go on\n`);
          return;
        }
        engine = createEngine(ruleset);
        io.stderr.write(`rule files were read again: ${ruleset.rules.length} rules\n`);
        changed?.();
      });
      return changes;
    },
  };
}

/** A rule file with an error is no basis for a watch: it is refused, with all that is wrong. */
function rulesOf(documents: readonly RuleDocument[], io: Io): Ruleset {
  const { ruleset, errors } = keptRules(documents);
  for (const problem of errors) io.stderr.write(`${problemText(problem).split("\n").map(printable).join("\n")}\n`);
  if (errors.length > 0) {
    throw new UsageError("usage", `${errors.length} errors in the rules`, { remedy: "bulwark rules check FILE" });
  }
  return ruleset;
}

/** Milliseconds; a little more than an event waits for its container. */
const settled = 2100;

/** Until it is stopped; `file`: where to write down what is seen. */
export async function judgeLive(judge: Judge, early: EarlySensor, file: string | undefined, io: Io): Promise<Seen> {
  await using registry = await openContainers({ node: judge.node });
  const recording = file === undefined ? undefined : openRecording(file);
  const losses: Seen = { ring: 0, pipe: 0, unreadable: 0, limited: 0, files: 0 };
  let lostBefore = { ...losses };
  let sensor = await early.sensor;
  const pipeline = new Pipeline({
    ...judge,
    detectors: judge.detectors(),
    ownerOf(cgroups, last) {
      const owner = ownerOf(registry, cgroups);
      if (owner || last) recording?.owner(cgroups.join("\n"), owner);
      return owner;
    },
    epoch: (time) => sensor.epochMs(time),
    now: steadyClock(),
    missingOwner: () => void registry.refresh(),
    watchShell: (process) => shells.watch(process),
  });
  const shells = new ShellWatch((process, stdio) => {
    const { pid, startTime } = process;
    const time = Date.now();
    recording?.look({ pid, startTime, stdio }, time);
    pipeline.look(process, stdio, time);
  });
  const take = (records: readonly SensorRecord[]): void => {
    for (const record of pipeline.push(records)) {
      recording?.record(record, sensor.epochMs(record.time));
      if (record.type !== "loss") continue;
      for (const name of Object.keys(losses)) losses[name] = (lostBefore[name] ?? 0) + Number(record[name as "ring"]);
    }
  };
  const stopped = untilStopped();
  const ended = Promise.withResolvers<never>();
  early.ended.catch(ended.reject);
  early.listen(take);
  const settling = setInterval(() => pipeline.settle(), 100);
  registry.on("started", () => pipeline.settle());

  let { asks } = judge.needs;
  let turn = Promise.resolve();
  let takeovers = 0;
  /** Without a gap: the one that runs goes on until another tells what is asked for. */
  const ask = async (others: SensorAsks): Promise<void> => {
    const next = startEarly({ host: judge.host, ...others });
    let begun: Sensor;
    try {
      begun = await next.sensor;
    } catch (error) {
      io.stderr.write(`${printable(errorText(error))}: the sensor does not tell what rules ask for now\n`);
      return;
    }
    await pause(MARKING_MS);
    await sensor.close();
    sensor = begun;
    next.ended.catch(ended.reject);
    lostBefore = { ...losses };
    pipeline.handOver(`${judge.run}-${++takeovers}`);
    next.listen(take);
  };
  const following = judge.follow(() => {
    const { asks: others } = judge.needs;
    if (isDeepStrictEqual(others, asks)) return;
    asks = others;
    tellPrice(judge, io);
    turn = turn.then(async () => ask(others));
  });
  try {
    await Promise.race([stopped, ended.promise]);
  } finally {
    following[Symbol.dispose]();
    clearInterval(settling);
    shells.stop();
    await turn;
    await sensor.close();
    // What waits for its container is judged with what is known then, as a replay does it.
    await pause(settled);
    pipeline.settle();
    await recording?.close();
  }
  return { ...pipeline.counters, ...losses };
}

/** Of a live watch that traces system calls. */
export function tellPrice({ needs: { asks } }: Judge, io: Io): void {
  if (asks.calls.length > 0)
    io.stderr.write(`rules need ${asks.calls.map(printable).join(", ")} traced: ${tracingPrice}\n`);
}

function ownerOf(registry: ContainerRegistry, cgroups: readonly string[]): Owner {
  const container = registry.byCgroup(cgroups);
  if (container) return { attribution: "container", container };
  return isHost(cgroups) ? { attribution: "host" } : undefined;
}

/** Time is that of the recording, so that what waits and what repeats is judged as it was. */
export function judgeRecording(judge: Judge, file: string): Seen {
  const lines = readRecording(file);
  const owners = new Map<string, Owner>();
  for (const line of lines) if ("cgroups" in line) owners.set(line.cgroups, line.owner);
  const clock = recordedClock();
  let at = 0;
  let now = 0;
  const pipeline = new Pipeline({
    ...judge,
    detectors: judge.detectors(),
    ownerOf: (cgroups) => owners.get(cgroups.join("\n")),
    epoch: () => at,
    now: () => now,
    missingOwner() {},
  });
  for (const line of lines) {
    if ("cgroups" in line) continue;
    ({ at } = line);
    now = clock(at);
    if ("record" in line) {
      pipeline.push([line.record]);
    } else {
      const process = pipeline.table.get(line.look.pid, line.look.startTime);
      if (process) pipeline.look(process, line.look.stdio, at);
    }
    pipeline.settle();
  }
  // What still waits has waited long enough.
  now += 60_000;
  pipeline.settle();
  return { ...pipeline.counters };
}

function alertLine(alert: Alert, json: boolean): string {
  if (json) return jsonLine(alert);
  const { time, severity, title, container, process, evidence } = alert;
  const where = container
    ? `${container.name || container.id.slice(0, 12)} (${container.image.name})`
    : alert.attribution;
  const told = evidence.filter(({ key }) => key !== "output").map(({ key, value }) => `${key}=${value}`);
  const what = process ? [process.executable, ...process.arguments.slice(1)].join(" ").slice(0, 200) : "";
  const line = `${new Date(time).toISOString()} ${severity} ${title} | ${where} | ${what} | ${told.join(" ").slice(0, 400)}`;
  return `${printable(line)}\n`;
}
