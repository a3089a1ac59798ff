import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { isHost, openContainers, type ContainerRegistry } from "@bulwark/containers";
import { createDetectors, Pipeline, rulesDetector, type Owner } from "@bulwark/detect";
import type { AgentRecord, Alert } from "@bulwark/model";
import { createEngine, loadRules, problemText } from "@bulwark/rules";
import { startSensor, type Sensor, type SensorRecord } from "@bulwark/sensor";
import type { Command, Io } from "../command.ts";
import { untilStopped } from "../local/lifetime.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";
import { defaultRules, readRuleFiles } from "../rules/files.ts";
import { openRecording, readRecording } from "../watch/recording.ts";

const usage = `Usage: bulwark watch [--rules FILE…] [--record FILE] [--stats]
       bulwark watch --replay FILE [--rules FILE…] [--stats]

What containers of this machine do, judged by detectors and rules; one line for
each alert, until it is stopped (Ctrl-C). Needs root; no server, no network.

  --rules FILE    rules in Falco's language after those that come with Bulwark;
                  may be given more than once
  --record FILE   write down what is seen, arguments of programs among it
  --replay FILE   judge a recording again: the same alerts, or those of new rules
  --host          the host's own processes, too
  --stats         at the end: events, alerts, losses (on standard error)
  --format json   alerts as JSON, one a line
`;

const options = {
  rules: { type: "string", multiple: true },
  record: { type: "string" },
  replay: { type: "string" },
  host: { type: "boolean" },
  stats: { type: "boolean" },
  format: { type: "string" },
} as const;

async function run(args: string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args, options });
  const { format, record, replay, host = false, stats = false } = values;
  if (format !== undefined && format !== "json" && format !== "text") {
    throw new UsageError("usage", `--format ${format}: no such format`, { remedy: "text or json" });
  }
  if (record !== undefined && replay !== undefined) {
    throw new UsageError("usage", "both --record and --replay", { remedy: "record first, then replay" });
  }
  const detectors = [...createDetectors(), rulesDetector(engineOf(values.rules ?? [], io))];
  const emit = (records: AgentRecord[]): void => {
    for (const item of records) if (item.type === "alert") io.stdout.write(alertLine(item.alert, format === "json"));
  };
  const common = { node: hostname(), run: "watch", detectors, host, emit };
  const seen = replay === undefined ? await watchLive(common, record) : replayFile(common, replay);
  if (stats) io.stderr.write(`${JSON.stringify(seen)}\n`);
  return 0;
}

type Common = Pick<ConstructorParameters<typeof Pipeline>[0], "node" | "run" | "detectors" | "host" | "emit">;
type Seen = Record<string, number>;

/** A rule file with an error is no basis for a watch: the call is refused, with all that is wrong. */
function engineOf(files: readonly string[], io: Io) {
  const { ruleset, errors } = loadRules(readRuleFiles([defaultRules, ...files]).rules);
  for (const problem of errors) io.stderr.write(`${problemText(problem).split("\n").map(printable).join("\n")}\n`);
  if (errors.length > 0) {
    throw new UsageError("usage", `${errors.length} errors in the rules`, { remedy: "bulwark rules check FILE" });
  }
  return createEngine(ruleset);
}

/** Milliseconds; a little more than an event waits for its container. */
const settled = 2100;

async function watchLive(common: Common, file: string | undefined): Promise<Seen> {
  await using registry = await openContainers({ node: common.node });
  const recording = file === undefined ? undefined : openRecording(file);
  const losses: Seen = { ring: 0, pipe: 0, unreadable: 0, limited: 0, files: 0 };
  const early: SensorRecord[] = [];
  let sensor: Sensor | undefined;
  const pipeline = new Pipeline({
    ...common,
    ownerOf(cgroups, last) {
      const owner = ownerOf(registry, cgroups);
      if (owner || last) recording?.owner(cgroups.join("\n"), owner);
      return owner;
    },
    epoch: (time) => sensor?.epochMs(time) ?? Date.now(),
    now: Date.now,
    missingOwner: () => void registry.refresh(),
  });
  const take = (records: readonly SensorRecord[]): void => {
    for (const record of records) {
      recording?.record(record, sensor?.epochMs(record.time) ?? Date.now());
      if (record.type === "loss") for (const name of Object.keys(losses)) losses[name] = Number(record[name as "ring"]);
    }
    pipeline.push(records);
  };
  const ended = Promise.withResolvers<never>();
  sensor = await startSensor({
    host: common.host,
    // Their times mean something once it has started.
    onRecords: (records) => (sensor === undefined ? void early.push(...records) : take(records)),
    onExit: ended.reject,
  });
  take(early);
  const settling = setInterval(() => pipeline.settle(), 100);
  registry.on("started", () => pipeline.settle());
  try {
    await Promise.race([untilStopped(), ended.promise]);
  } finally {
    clearInterval(settling);
    await sensor.close();
    // What waits for its container is judged with what is known then, as a replay does it.
    await pause(settled);
    pipeline.settle();
    await recording?.close();
  }
  return { ...pipeline.counters, ...losses };
}

function ownerOf(registry: ContainerRegistry, cgroups: readonly string[]): Owner {
  const container = registry.byCgroup(cgroups);
  if (container) return { attribution: "container", container };
  return isHost(cgroups) ? { attribution: "host" } : undefined;
}

/** Time is that of the recording, so that what waits and what repeats is judged as it was. */
function replayFile(common: Common, file: string): Seen {
  const lines = readRecording(file);
  const owners = new Map<string, Owner>();
  for (const line of lines) if ("cgroups" in line) owners.set(line.cgroups, line.owner);
  let at = 0;
  const pipeline = new Pipeline({
    ...common,
    ownerOf: (cgroups) => owners.get(cgroups.join("\n")),
    epoch: () => at,
    now: () => at,
    missingOwner() {},
  });
  for (const line of lines) {
    if (!("record" in line)) continue;
    ({ at } = line);
    pipeline.push([line.record]);
    pipeline.settle();
  }
  // What still waits has waited long enough.
  at += 60_000;
  pipeline.settle();
  return { ...pipeline.counters };
}

function alertLine(alert: Alert, json: boolean): string {
  if (json) return `${JSON.stringify(alert)}\n`;
  const { time, severity, title, container, process, evidence } = alert;
  const where = container
    ? `${container.name || container.id.slice(0, 12)} (${container.image.name})`
    : alert.attribution;
  const told = evidence.filter(({ key }) => key !== "output").map(({ key, value }) => `${key}=${value}`);
  const what = process ? [process.executable, ...process.arguments.slice(1)].join(" ").slice(0, 200) : "";
  const line = `${new Date(time).toISOString()} ${severity} ${title} | ${where} | ${what} | ${told.join(" ").slice(0, 400)}`;
  return `${printable(line)}\n`;
}

export const watchCommand: Command = { name: "watch", summary: "alerts of this machine", usage, run };
