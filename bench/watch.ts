/**
 * `bulwark watch` with every detector and every rule that comes with it, on real containers: what it costs them, how soon
 * it tells, what it loses, what it takes. `bench/sensor.ts` measures the sensor alone, `bench/rules.ts` the rules alone.
 * Falco's figures in the rows are of version 0.44.1 with all of its rules, on a machine of two cores. Needs root, and a quiet
 * machine.
 *
 *     node scripts/node.mjs bench/watch.ts --seconds 60 --rounds 8
 *     node scripts/node.mjs bench/watch.ts slowdown --deeds starts --rounds 16
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createDetectors, Pipeline, rulesDetector } from "@bulwark/detect";
import type { Container } from "@bulwark/model";
import { openRules } from "@bulwark/rules";
import {
  buildSensor,
  createDecoder,
  sensorBinary,
  startSensor,
  type DecodedRecord,
  type SensorRecord,
} from "@bulwark/sensor";
import { eventually, runWithRunc, sampleContainer, type RuncContainer, type RuncOptions } from "@bulwark/testkit";
import { startCommand } from "../e2e/runtime/command.ts";
import { doIn, makeVictim } from "../e2e/runtime/world.ts";
import { memoryOf } from "./cluster/process.ts";
import { isUnclear, median, shown, spread } from "./spread.ts";

interface Row {
  what: string;
  figure: string;
  limit: string;
  verdict: "kept" | "missed" | "cannot tell";
}

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string" }, rounds: { type: "string" }, deeds: { type: "string" } },
  allowPositionals: true,
});
const seconds = Number(values.seconds ?? 60);
const rounds = Number(values.rounds ?? 8);
/** Of the slowdown. */
const deeds = values.deeds?.split(",") ?? ["starts", "opens", "bytes"];
const row = (what: string, figure: string, limit: string, isKept: boolean): Row => {
  return { what, figure, limit, verdict: isKept ? "kept" : "missed" };
};

const folder = mkdtempSync(join(tmpdir(), "bulwark-bench-"));
const path = "export PATH=/bin:/opt/bin; ";
let victim = "";

/** Of runc's usual folder, where the product looks for it by itself. */
function container(options: RuncOptions = {}): RuncContainer {
  return runWithRunc({ overlay: true, rootfs: victim, root: "/run/runc", ...options });
}

/** The product as a person starts it. */
function watch() {
  const began = performance.now();
  const command = startCommand();
  return {
    ...command,
    async firstAlert(): Promise<number> {
      await eventually("the first alert", () => command.alerts.length > 0 || undefined, 30_000);
      return performance.now() - began;
    },
    /** Its own figures. */
    async stop(): Promise<Record<string, number>> {
      return JSON.parse((await command.stop()).trim().split("\n").at(-1) ?? "{}") as Record<string, number>;
    },
  };
}

/** An attack that is told each time: its name is in a rule, its argument is another one each time. */
const attacks = "i=0; while :; do /opt/bin/deepce $$-$i; usleep 8000; i=$((i+1)); done";

async function soonness(): Promise<Row[]> {
  await using attacker = container({ args: ["sh", "-c", path + attacks] });
  await using quiet = container();
  await using noisy = container();
  const starts: number[] = [];
  for (let round = 0; round < 5; round++) {
    const watching = watch();
    starts.push(await watching.firstAlert());
    await watching.stop();
  }
  const watching = watch();
  await watching.firstAlert();
  await pause(1000);
  const from = watching.alerts.length;
  const loop = doIn(noisy, `${path} deeds do opens 40000000 /etc/passwd & p=$!; usleep 20000000; kill $p`);
  await doIn(quiet, `${path} usleep 1000000; for i in $(seq 40); do /bin/cat /etc/shadow no-$i; usleep 100000; done`);
  await loop;
  await pause(500);
  const delays = watching.alerts
    .slice(from)
    .filter(({ alert }) => alert.rule === "attack-tool-executed" && alert.container?.id === attacker.id)
    .map(({ alert, at }) => at - alert.time)
    .toSorted((a, b) => a - b);
  const reads = watching.alerts.filter(
    ({ alert }) => alert.rule === "passwords-of-the-system-read" && alert.container?.id === quiet.id,
  ).length;
  const memory = memoryOf(watching.pid, "VmHWM");
  const lost = await watching.stop();
  const p99 = delays[Math.floor(delays.length * 0.99)] ?? Number.NaN;
  return [
    row(
      "from start to the first alert",
      `${median(starts).toFixed(0)} ms (Falco 2,000)`,
      "1,000 ms",
      median(starts) <= 1000,
    ),
    row(
      `from the kernel to the alert's line, ${delays.length} alerts beside an open/close loop`,
      `median ${median(delays)} ms, p99 ${p99} ms (Falco 18.5, 29)`,
      "p99 100 ms",
      p99 <= 100 && delays.length >= 1000,
    ),
    row("secrets read beside an open/close loop", `${reads} of 40 told (Falco 5)`, "40 of 40", reads === 40),
    row("memory at its height, with the sensor", `${memory.toFixed(0)} MB (Falco 105)`, "250 MB", memory <= 250),
    row("lost meanwhile", `${lostOf(lost)} events`, "0", lostOf(lost) === 0),
  ];
}

const lostOf = ({ ring = 0, pipe = 0, unreadable = 0, files = 0 }: Record<string, number>): number =>
  ring + pipe + unreadable + files;

/**
 * As Falco's figures were had: busybox starts, and nothing that a rule of either is for. A turn is so many short runs in a row.
 * It runs for days, so turns come before that are not counted: until V8 has compiled what it is asked for at the beginning of
 * a turn and within, the reader takes three times as long.
 */
const workloads = [
  {
    what: "200 programs started",
    deed: ["starts", "200", "/bin/busybox", "true"],
    inARow: 30,
    turnsBefore: 6,
    limit: 1.05,
    falco: 1.04,
  },
  {
    what: "50,000 opens and closes",
    deed: ["opens", "50000", "/etc/passwd"],
    inARow: 10,
    turnsBefore: 1,
    limit: 1.05,
    falco: 1.46,
  },
  {
    what: "200,000 reads and writes of a byte",
    deed: ["bytes", "200000"],
    inARow: 10,
    turnsBefore: 1,
    limit: 1.02,
    falco: 1.48,
  },
] as const;

/**
 * Of a turn: the time; the time of a processor, in which others that run beside it have no part; and what the machine took
 * beside it for the reference (`deeds do timed`).
 */
type Turn = [time: number, used: number, reference: number];

/**
 * In turns: without the product, with it, without, with it, … A machine that is shared is up to a half slower from one minute
 * to the next, and a tenth from one second to the next; so each turn is measured by what the machine takes just then for a
 * reference that the product is not on the way of, and compared with the two turns beside it. Of all turns the median counts.
 * How far they lie apart says what this machine can tell: where that is as much as what is asked, there is no verdict. The
 * last figure is the reference with the product against without: how far it is from 1 is not in the others.
 */
async function slowdown(): Promise<Row[]> {
  await using worker = container();
  const rows: Row[] = [];
  const chosen = workloads.filter(({ deed: [name] }) => deeds.includes(name));
  for (const { what, deed, inARow, turnsBefore, limit, falco } of chosen) {
    const turn = async (): Promise<Turn> => {
      // What came before, in the kernel and in what is told, is not of this.
      await pause(500);
      const said = await doIn(worker, `${path} for i in $(seq ${inARow}); do deeds do timed ${deed.join(" ")}; done`, {
        patience: 120_000,
      });
      const runs = said
        .trim()
        .split("\n")
        .map((line) => line.split(" ").map(Number));
      const sum = (which: number): number => runs.reduce((all, run) => all + (run[which] ?? Number.NaN), 0);
      return [sum(0), sum(1), sum(2)];
    };
    await turn();
    const without = [await turn()];
    const watched: Turn[] = [];
    for (let round = 0; round < rounds; round++) {
      const watching = watch();
      await pause(1000);
      for (let before = 0; before < turnsBefore; before++) await turn();
      watched.push(await turn());
      await watching.stop();
      without.push(await turn());
    }
    const ratios = (of: (turn: Turn) => number): number[] =>
      watched.map((turn, round) => {
        const [before = Number.NaN, after = Number.NaN] = without.slice(round, round + 2).map(of);
        return (2 * of(turn)) / (before + after);
      });
    const time = spread(ratios(([took, , reference]) => took / reference));
    const used = spread(ratios(([, spent, reference]) => spent / reference));
    const reference = spread(ratios((turn) => turn[2]));
    rows.push({
      what: `${what}: ${(median(without.map(([took]) => took)) / inARow).toFixed(0)} ms without`,
      figure: `${shown(time)} times, ${shown(used)} of its processor's (Falco ${falco}); reference ${shown(reference)}`,
      limit: `${limit} times`,
      verdict: isUnclear(time, limit) ? "cannot tell" : time.median <= limit ? "kept" : "missed",
    });
  }
  return rows;
}

const each = 20_000;
const makers = 10;

/** Containers that each make as many events as one may; all that was made is told, or counted as lost. */
async function losses(): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const sources = Array.from({ length: makers }, () => stack.use(container()));
  const known = new Map(sources.map(({ id }) => [id, sampleContainer(1, { id, pid: null, mounts: [] })]));
  const pipeline = pipelineOf(
    (cgroups) => Array.from(known).find(([id]) => cgroups.some((it) => it.includes(id)))?.[1],
  );
  let told = 0;
  let lost = { ring: 0n, pipe: 0n, limited: 0n };
  const sensor = await startSensor({
    onRecords(records: SensorRecord[]) {
      for (const record of records) {
        if (record.type === "call" && record.name === "sethostname") told++;
        else if (record.type === "loss") lost = record;
      }
      pipeline.push(records);
    },
  });
  const cpu = process.cpuUsage();
  const began = performance.now();
  const made = await Promise.all(
    sources.map(async (source) =>
      Number(await doIn(source, `${path} deeds do steady ${each} ${seconds}`, { patience: (seconds + 60) * 1000 })),
    ),
  );
  const took = (performance.now() - began) / 1000;
  await sensor.close();
  const { user, system } = process.cpuUsage(cpu);
  const all = made.reduce((sum, one) => sum + one, 0);
  const counted = Number(lost.ring + lost.pipe + lost.limited);
  const missing = all - told - counted;
  const rate = (number: number): string => Math.round(number).toLocaleString("en");
  const asked = each * makers;
  // A machine that makes fewer says nothing of so many.
  const isAsMany = all / took >= 0.95 * asked;
  return [
    {
      what: `${rate(all / took)} events/s of ${makers} containers for ${took.toFixed(0)} s, judged by all detectors and rules`,
      figure: `${rate(told)} told, ${rate(counted)} counted as lost, ${rate(Math.max(0, missing))} neither; ${((user + system) / 1e4 / took).toFixed(0)} % of a core`,
      limit: `none neither, at ${rate(asked)}`,
      verdict: missing > 0 ? "missed" : isAsMany ? "kept" : "cannot tell",
    },
  ];
}

/** Frames of the kernel as they came, through decoder, process table, detectors and rules, on one core. */
async function throughput(): Promise<Row[]> {
  const busy =
    "while :; do for i in $(seq 20); do echo x >/tmp/f$i; done; /bin/true a b; deeds do tcp 127.0.0.1 1; done";
  await using stack = new AsyncDisposableStack();
  const sources = Array.from({ length: 4 }, () => stack.use(container({ args: ["sh", "-c", path + busy] })));
  const child = spawn(sensorBinary, [], { stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  // Enough that what is measured is the work, not the compiler.
  await pause(15_000);
  const ended = once(child, "close");
  child.kill("SIGTERM");
  await ended;
  const owner = sampleContainer(1, { id: sources[0]?.id ?? "", pid: null, mounts: [] });
  const measure = (judge: boolean): { perSecond: number; count: number } => {
    const took: number[] = [];
    let count = 0;
    for (let round = 0; round < 9; round++) {
      const decoder = createDecoder();
      const pipeline = pipelineOf(() => owner);
      count = 0;
      const start = process.threadCpuUsage();
      for (const chunk of chunks) {
        const records: DecodedRecord[] = [];
        decoder.push(chunk, records);
        count += records.length;
        if (judge) pipeline.push(records.filter(isOfKernel));
      }
      const { user, system } = process.threadCpuUsage(start);
      took.push((user + system) / 1e6);
    }
    return { perSecond: count / median(took), count };
  };
  const decoded = measure(false);
  const judged = measure(true);
  const rate = (number: number): string => Math.round(number).toLocaleString("en");
  return [
    row(
      `decode, process table, detectors and rules, one core (${rate(judged.count)} records)`,
      `${rate(judged.perSecond)} records/s; decoded only ${rate(decoded.perSecond)}`,
      `${rate(each)}, what one container may make`,
      judged.perSecond >= each,
    ),
  ];
}

function isOfKernel(record: DecodedRecord): record is SensorRecord {
  return record.type !== "reply" && record.type !== "enforcement";
}

function pipelineOf(find: (cgroups: readonly string[]) => Container | undefined): Pipeline {
  const { engine } = openRules({ files: [], disabled: [] });
  const owners = new Map<string, Container | undefined>();
  return new Pipeline({
    ...{ node: "n", run: "r", host: false, detectors: [...createDetectors(), rulesDetector(engine)] },
    ownerOf(cgroups) {
      const key = cgroups.join("\n");
      if (!owners.has(key)) owners.set(key, find(cgroups));
      const owner = owners.get(key);
      return owner ? { attribution: "container", container: owner } : { attribution: "host" };
    },
    epoch: (time) => Number(time) / 1e6,
    now: Date.now,
    emit() {},
    missingOwner() {},
  });
}

if (import.meta.main) {
  try {
    await buildSensor();
    victim = makeVictim(join(folder, "victim"));
    const rows: Row[] = [];
    for (const part of [throughput, soonness, slowdown, losses]) {
      if (positionals.length > 0 && !positionals.includes(part.name)) continue;
      const began = performance.now();
      rows.push(...(await part()));
      console.error(`${part.name}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
    }
    console.log(readFileSync("/proc/loadavg", "utf8").split(" ")[0], "is the load of this machine");
    console.table(rows);
    process.exitCode = rows.some(({ verdict }) => verdict === "missed") ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
