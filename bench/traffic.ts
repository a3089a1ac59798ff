/**
 * What counting flows costs the containers, and what enforcing network policies does: the same work with and without, in
 * turns, in one run; and what the sensor and the reading of flows take themselves.
 *
 * The two ends stay on a core each, and the window has a size of its own (peer.c). In each round all arms take their turn,
 * twice that without, and do the work in many short slices, of which the fastest counts: what else happens on a machine that is
 * shared only ever adds time, and by more than what is asked. The figure is the median over rounds of what a round's arm was
 * against the mean of the same round's two without, and twice its standard error. `noise` is the one of these against the
 * other: where that, or the error, is more than the limit allows, nothing can be told. What the programs take of the work's
 * time is measured by the kernel itself as well, which a busy machine does not disturb; it takes bpftool to read.
 *
 *     npm run bench traffic
 *     WORKS=requests ARMS=flows ROUNDS=20 npm run bench traffic
 *     ROUNDS=0 npm run bench traffic       # only what it takes itself
 */
import { spawn } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { compileTable } from "@bulwark/enforce";
import { createDirectory } from "@bulwark/flow";
import { createEvaluator } from "@bulwark/netpol";
import { buildSensor, startSensor, type Sensor } from "@bulwark/sensor";
import { eventually, run as runProgram, runWithRunc, type RuncContainer } from "@bulwark/testkit";
import { createTraffic } from "@bulwark/traffic";
import { isUnclear, median, shown, spread } from "./spread.ts";

const rounds = Number(process.env["ROUNDS"] ?? 16);
const chosen = process.env["WORKS"]?.split(",");
const limit = 0.95;
const statistics = "/proc/sys/kernel/bpf_stats_enabled";
const [client, server] = ["198.18.1.1", "198.18.1.2"];
/**
 * The limit is for connections that are there. What is looked at one by one costs more, and the rows say how much: a
 * datagram, which no socket counts, and a connection that is made and given up at once.
 */
const works = [
  { what: "bytes in one connection (100 MB)", args: ["bulk", server, "7000", String(1e8), "60"], isLimited: true },
  { what: "requests in one connection (500)", args: ["requests", server, "7000", "500", "100"], isLimited: true },
  { what: "datagrams and their answers (500)", args: ["datagrams", server, "7000", "500", "100"], isLimited: false },
  { what: "connections (1,000)", args: ["connects", server, "7000", "1000", "10"], isLimited: false },
] as const;
/** Where the kernel's clock is asked. */
const looks = {
  bulk: { what: "1 GB in one connection", count: 1e9, isLimited: true },
  requests: { what: "20,000 requests", count: 20_000, isLimited: true },
  datagrams: { what: "20,000 datagrams and their answers", count: 20_000, isLimited: false },
  connects: { what: "2,000 connections", count: 2000, isLimited: false },
};
const workload = {
  namespace: "n",
  name: "client",
  kind: null,
  pod: null,
  labels: {},
  serviceAccount: null,
  node: null,
};
/** `events` is the sensor as it is without flows: connections are told of one by one by that. */
const watched = ["events", "flows", "policies"] as const;
type Arm = "without" | "again" | (typeof watched)[number];
const looked = watched.filter((arm) => process.env["ARMS"]?.split(",").includes(arm) ?? true);
/** The two without are apart, so that what changes with time is seen between them. */
const arms: readonly Arm[] = ["without", ...looked.slice(0, 1), "again", ...looked.slice(1)];

await buildSensor();
const containers = [runWithRunc(["sleep", "3600"]), runWithRunc(["sleep", "3600"])] as const;
try {
  connectBoth(...containers);
  process.exitCode = (await measure(...containers)) ? 0 : 1;
} finally {
  for (const container of containers) await container[Symbol.asyncDispose]();
}

async function measure(from: RuncContainer, to: RuncContainer): Promise<boolean> {
  runProgram("sh", ["-c", `runc --root ${to.root} exec -d ${to.id} /bin/peer serve 7000 </dev/null >/dev/null 2>&1`]);
  await eventually("it serves", () => attempt(() => fastest(from, ["connects", server, "7000", "1", "1"])));
  const rows = [];
  for (const { what, args, isLimited } of works.filter(
    ({ args: [name] }) => rounds > 0 && (chosen?.includes(name) ?? true),
  )) {
    const took: Record<Arm, number[]> = { without: [], again: [], events: [], flows: [], policies: [] };
    for (let round = 0; round < rounds; round++) {
      const first = round % arms.length;
      for (const arm of [...arms.slice(first), ...arms.slice(0, first)]) {
        await using _ = arm === "without" || arm === "again" ? undefined : await watching(arm, from, to);
        await pause(100);
        took[arm].push(fastest(from, args));
      }
    }
    const { without, again } = took;
    const noise = median(without.map((one, round) => one / (again[round] ?? 0)));
    const base = without.map((one, round) => (one + (again[round] ?? 0)) / 2);
    for (const arm of looked) {
      const speed = spread(base.map((one, round) => one / (took[arm][round] ?? 0)));
      const isDisturbed = Math.abs(noise - 1) > 1 - limit || isUnclear(speed, limit);
      const verdict = isDisturbed ? "cannot tell" : speed.median >= limit ? "kept" : "missed";
      rows.push({
        what: `${what}, ${arm}`,
        figure: `${shown(speed)} of the speed without`,
        noise: noise.toFixed(3),
        limit: isLimited ? `at least ${limit}` : "",
        verdict: isLimited ? verdict : "",
      });
    }
  }
  for (const arm of looked) rows.push(...(await programs(arm, from, to)));
  rows.push(await idle(), await rate(from));
  console.table(rows);
  return rows.every(({ verdict }) => verdict !== "missed");
}

async function watching(
  what: "events" | "flows" | "policies",
  from: RuncContainer,
  to: RuncContainer,
): Promise<Sensor> {
  const sensor = await startSensor({
    enforce: what === "policies",
    onRecords: () => undefined,
    ...(what !== "events" && { flows: { onTraffic: () => undefined } }),
  });
  if (what !== "policies") return sensor;
  const pods = [
    { namespace: "n", name: "client", labels: { pod: "client" }, ips: [client] },
    { namespace: "n", name: "server", labels: { pod: "server" }, ips: [server] },
  ];
  const peer = [{ podSelector: {} }];
  const spec = {
    podSelector: {},
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: peer }],
    egress: [{ to: peer }],
  };
  const metadata = { name: "p", namespace: "n" };
  const policies = [{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec }];
  const placed = [from, to].map(({ pid }, index) => ({ name: `n/${pods[index]?.name}`, cgroups: [cgroupOf(pid)] }));
  const evaluator = createEvaluator({ namespaces: [{ name: "n" }], pods, policies });
  await sensor.enforceNetwork(compileTable(evaluator, { pods: placed }));
  return sensor;
}

/** What of the time is the programs'; that of measuring it, some 50 ns a run, is among it. */
async function programs(arm: (typeof watched)[number], from: RuncContainer, to: RuncContainer) {
  const others = programTimes();
  await using _ = await watching(arm, from, to);
  const spent = (): number => [...programTimes()].reduce((sum, [id, time]) => (others.has(id) ? sum : sum + time), 0);
  const before = readFileSync(statistics, "utf8");
  writeFileSync(statistics, "1");
  try {
    return Object.entries(looks).map(([name, { what, count, isLimited }]) => {
      const start = spent();
      const took = fastest(from, [name, server, "7000", String(count), "1"]);
      const own = spent() - start;
      const share = own / took;
      return {
        what: `${what}: what the programs take, ${arm}`,
        figure: `${(own / 1e6).toFixed(1)} of ${(took / 1e6).toFixed(0)} ms: ${(share * 100).toFixed(1)} %`,
        noise: "",
        limit: isLimited ? `${Math.round((1 - limit) * 100)} %` : "",
        verdict: own === 0 ? "cannot tell" : isLimited ? (share <= 1 - limit ? "kept" : "missed") : "",
      };
    });
  } finally {
    writeFileSync(statistics, before);
  }
}

/** Nanoseconds that each program in the kernel has run; Documentation/admin-guide/sysctl/kernel.rst, bpf_stats_enabled. */
function programTimes(): Map<number, number> {
  const text = runProgram("bpftool", ["-j", "prog", "show"]);
  const all = JSON.parse(text) as { id: number; run_time_ns?: number }[];
  return new Map(all.map(({ id, run_time_ns: time = 0 }) => [id, time]));
}

/** Processor time of the sensor's processes while nothing happens. */
async function idle() {
  await using sensor = await watching("flows", ...containers);
  await pause(1000);
  const before = cpuOf(sensor.pid);
  await pause(10_000);
  const share = (cpuOf(sensor.pid) - before) / 10;
  return {
    what: "the sensor while nothing happens, with flows",
    figure: `${(share * 100).toFixed(2)} % of a core`,
    noise: "",
    limit: "0.5 %",
    verdict: share <= 0.005 ? "kept" : "missed",
  };
}

/** From frames to flows: connections that all differ, as a scan makes them, with what they cost here and in the sensor. */
async function rate(from: RuncContainer) {
  let flows = 0;
  let lost = 0n;
  const traffic = createTraffic({
    ownerOf: () => ({ workload, process: "peer" }),
    epochMs: (time) => Number(time / 1_000_000n),
    directory: createDirectory(),
    hostNetwork: 0,
    emit: () => flows++,
  });
  const sensor = await startSensor({
    onRecords(records) {
      for (const record of records) if (record.type === "loss") lost = record.flows + record.pipe + record.ring;
    },
    flows: { onTraffic: (records) => traffic.take(records) },
  });
  await pause(300);
  const [own, theirs, start] = [process.cpuUsage(), cpuOf(sensor.pid), performance.now()];
  // Every port of the peer: all refused but one.
  const child = spawn("runc", ["--root", from.root, "exec", from.id, "/bin/peer", "scan", server, "1", "60000", "1"], {
    stdio: "ignore",
  });
  await new Promise((resolve) => child.on("close", resolve));
  await pause(1500);
  traffic.settle();
  traffic.end();
  const took = process.cpuUsage(own);
  const cpu = (took.user + took.system) / 1e6 + cpuOf(sensor.pid) - theirs;
  const seconds = (performance.now() - start) / 1000;
  await sensor.close();
  const perCore = flows / cpu;
  return {
    what: `60,000 different flows of one container (${seconds.toFixed(1)} s): ${flows} told, ${lost} lost`,
    figure: `${Math.round(perCore).toLocaleString("en")} flows a second of one core`,
    noise: "",
    limit: "20,000",
    verdict: perCore >= 20_000 ? "kept" : "missed",
  };
}

/** Nanoseconds. */
function fastest(container: RuncContainer, args: readonly string[]): number {
  return Number(container.exec("/bin/peer", ...args));
}

function connectBoth(a: RuncContainer, b: RuncContainer): void {
  const source = join(import.meta.dirname, "network/peer.c");
  for (const { rootfs } of [a, b]) {
    runProgram("clang", ["-static", "-O2", "-pthread", "-o", join(rootfs, "bin/peer"), source]);
  }
  const ends = ["netns", `${a.pid}`, "type", "veth", "peer", "name", "eth0", "netns", `${b.pid}`];
  runProgram("ip", ["link", "add", "eth0", ...ends]);
  for (const [{ pid }, ip] of [
    [a, client],
    [b, server],
  ] as const) {
    const inside = (...words: string[]): string => runProgram("nsenter", [`--net=/proc/${pid}/ns/net`, "ip", ...words]);
    inside("addr", "add", `${ip}/24`, "dev", "eth0");
    inside("link", "set", "eth0", "up");
  }
}

function cgroupOf(pid: number): string {
  return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "";
}

/** Seconds of a process and its children, of all their threads; Documentation/scheduler/sched-stats.rst: nanoseconds first. */
function cpuOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
  const threads = [pid, ...children.map(Number)].flatMap((id) =>
    readdirSync(`/proc/${id}/task`).map((thread) => readFileSync(`/proc/${id}/task/${thread}/schedstat`, "utf8")),
  );
  return threads.reduce((sum, text) => sum + Number.parseInt(text, 10) / 1e9, 0);
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
