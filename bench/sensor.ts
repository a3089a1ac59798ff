/**
 * What the sensor costs the workloads that it watches: the same work with and without it, in turns, in one run. The work
 * is done in a mount and PID namespace of its own, so that the sensor tells of all of it.
 *
 *     node bench/sensor.ts
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { buildSensor, startSensor, type SensorRecord } from "@bulwark/sensor";
import { runWithRunc } from "@bulwark/testkit";
import { median } from "./spread.ts";

export interface SensorBenchRow {
  what: string;
  without: string;
  with: string;
  figure: string;
  /** The same figure of the work without the sensor against itself: what this machine can tell apart. */
  noise: string;
  limit: string;
  /** `cannot tell`: the noise is larger than what is to be measured, because others use the machine too. */
  verdict: "kept" | "missed" | "cannot tell";
}

const ROUNDS = 12;
const EXECS = 300;
/** Starting the sensor is work of its own, which is not measured here. */
const SETTLE_MS = 150;
const workloads = [
  {
    what: `${EXECS} commands of a shell (fork, exec, exit)`,
    script: `i=0; while [ $i -lt ${EXECS} ]; do /bin/true; i=$((i+1)); done`,
    limit: 1.05,
  },
  {
    what: "30,000 opens and closes of a file by a shell",
    script: "i=0; while [ $i -lt 30000 ]; do : </etc/passwd; i=$((i+1)); done",
    limit: 1.05,
  },
  {
    what: "300,000 reads and writes of a byte (dd)",
    script: "dd if=/dev/zero of=/dev/null bs=1 count=300000",
    limit: 1.02,
  },
];
const LATENCY_LIMIT_MS = 20;

export async function run(): Promise<SensorBenchRow[]> {
  await buildSensor();
  const rows: SensorBenchRow[] = [];
  for (const { what, script, limit } of workloads) rows.push(await compare(what, script, limit));
  rows.push(await latency());
  rows.push(await secretsBesideNoise());
  return rows;
}

async function compare(what: string, script: string, limit: number): Promise<SensorBenchRow> {
  const arms = ["without", "again", "with"] as const;
  const took: Record<(typeof arms)[number], number[]> = { without: [], again: [], with: [] };
  let lost = 0n;
  await timed(script);
  for (let round = 0; round < ROUNDS; round++) {
    // The order changes, so that a machine that becomes faster or slower favours none.
    for (const arm of [...arms.slice(round % 3), ...arms.slice(0, round % 3)]) {
      if (arm !== "with") {
        await pause(SETTLE_MS);
        took[arm].push(await timed(script));
        continue;
      }
      await using _sensor = await startSensor({
        onRecords(records) {
          for (const record of records) if (record.type === "loss") lost += record.ring + record.pipe;
        },
      });
      await pause(SETTLE_MS);
      took.with.push(await timed(script));
    }
  }
  const ratio = median(took.with) / median([...took.without, ...took.again]);
  const noise = median(took.again) / median(took.without);
  return {
    what,
    without: `${median(took.without).toFixed(0)} ms`,
    with: `${median(took.with).toFixed(0)} ms`,
    figure: `${ratio.toFixed(3)} times${lost > 0n ? `, ${lost} records lost` : ""}`,
    noise: `${noise.toFixed(3)} times`,
    limit: `${limit} times`,
    verdict: Math.abs(noise - 1) > limit - 1 ? "cannot tell" : ratio <= limit ? "kept" : "missed",
  };
}

/** From the exec in the kernel to the record in this process, on a machine where nothing else happens. */
async function latency(): Promise<SensorBenchRow> {
  const took: number[] = [];
  await using _sensor = await startSensor({
    onRecords(records: SensorRecord[]) {
      const now = bootTime();
      for (const record of records) {
        if (record.type === "exec" && record.filename === "/bin/true") took.push(now - Number(record.time) / 1e6);
      }
    },
  });
  await timed("i=0; while [ $i -lt 50 ]; do /bin/true; /bin/sleep 0.03; i=$((i+1)); done");
  await pause(50);
  took.sort((a, b) => a - b);
  const worst = took.at(-1) ?? Number.NaN;
  return {
    what: `from exec to record, idle (${took.length} times)`,
    without: "",
    with: "",
    figure: `median ${median(took).toFixed(1)} ms, worst ${worst.toFixed(1)} ms`,
    noise: "",
    limit: `${LATENCY_LIMIT_MS} ms`,
    verdict: worst <= LATENCY_LIMIT_MS ? "kept" : "missed",
  };
}

const SECRETS = 40;

/**
 * Reads of a secret in one container while another does nothing but open and close files, which blinds sensors that look
 * at every open: Falco 0.44 with all its rules told of 5 of 40.
 */
async function secretsBesideNoise(): Promise<SensorBenchRow> {
  const records: SensorRecord[] = [];
  await using _sensor = await startSensor({ onRecords: (batch) => records.push(...batch) });
  await using _noisy = runWithRunc({ overlay: true, args: ["sh", "-c", "while :; do : </bin/sh; done"] });
  await using quiet = runWithRunc({
    overlay: true,
    args: [
      "sh",
      "-c",
      `sleep 1; echo secret >/etc/shadow; sleep 1; for i in $(seq ${SECRETS}); do cat /etc/shadow; done; sleep 3600`,
    ],
  });
  await pause(8000);
  const inside = records.find((record) => record.type === "exec" && record.pid === quiet.pid);
  const readers = new Set(
    records.flatMap((record) =>
      record.type === "file" &&
      record.operation === "read" &&
      record.path === "/etc/shadow" &&
      inside?.type === "exec" &&
      record.mountNamespace === inside.mountNamespace
        ? [record.pid]
        : [],
    ),
  );
  return {
    what: "secrets read beside a loop of open and close",
    without: "",
    with: "",
    figure: `${readers.size} of ${SECRETS} told`,
    noise: "",
    limit: `${SECRETS} of ${SECRETS}`,
    verdict: readers.size === SECRETS ? "kept" : "missed",
  };
}

/** Milliseconds of CLOCK_BOOTTIME. The machine did not sleep since it was started, or the figure is off by that. */
function bootTime(): number {
  return Number(process.hrtime.bigint()) / 1e6 + slept;
}

/** /proc/uptime counts sleep, the monotonic clock does not; below the resolution of the former there was none. */
const slept = (() => {
  const difference =
    Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000 - Number(process.hrtime.bigint()) / 1e6;
  return Math.abs(difference) < 20 ? 0 : difference;
})();

async function timed(script: string): Promise<number> {
  const start = performance.now();
  const child = spawn("unshare", ["--mount", "--pid", "--fork", "busybox", "sh", "-c", script], { stdio: "ignore" });
  const code = await new Promise((resolve, reject) => child.on("close", resolve).on("error", reject));
  if (code !== 0) throw new Error(`the workload ended with ${String(code)}: ${script}`);
  return performance.now() - start;
}

if (process.argv[1] === import.meta.filename) {
  const rows = await run();
  console.table(rows);
  process.exitCode = rows.some(({ verdict }) => verdict === "missed") ? 1 : 0;
}
