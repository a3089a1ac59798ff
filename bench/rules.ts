/**
 * How many events a second one core takes through the rules: Falco's stable rule file and our own rules, each on a mixed
 * stream (45 % open, 8 % connect, 5 % execve, others). Rows with a limit fail the run when they miss it.
 *
 *     node scripts/node.mjs bench/rules.ts
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createEngine, loadRules, type FieldValue, type ProcessMemory, type RuleEvent } from "@bulwark/rules";
import { suitesDir } from "@bulwark/testkit";

export interface RulesBenchRow {
  what: string;
  /** Events a second; the median of several rounds. */
  perSecond: number;
  limit: number;
  matches: number;
}

const count = 20_000;
const passes = 10;
const rounds = 9;

/** A process as the agent's table has it. */
interface Process {
  name: string;
  args: string;
  parent: string;
  ancestors: string[];
  container: string;
  uid: number;
}

/** What the sensor told, decoded: only what is asked for is looked at. */
interface Told {
  path: string;
  flags: string;
  isWrite: boolean;
  ip: string;
  port: number;
}

class BenchEvent implements RuleEvent {
  readonly source = "syscall";
  readonly type: string;
  readonly actor: Process;
  readonly told: Told;
  process: ProcessMemory = {};

  constructor(type: string, actor: Process, told: Partial<Told>, process: ProcessMemory) {
    this.type = type;
    this.actor = actor;
    this.told = { path: "", flags: "", isWrite: false, ip: "", port: 0, ...told };
    this.process = process;
  }

  get(field: string, argument?: string): FieldValue {
    return getters.get(field)?.(this, argument);
  }
}

const isFile = ({ told }: BenchEvent): boolean => told.path !== "";
const isSocket = ({ told }: BenchEvent): boolean => told.ip !== "";
/** A table of getters, as the agent has one. */
const getters = new Map<string, (event: BenchEvent, argument?: string) => FieldValue>([
  ["evt.type", ({ type }) => type],
  ["evt.res", () => "SUCCESS"],
  ["evt.rawres", () => 0],
  ["evt.arg", ({ told }, argument) => (argument === "flags" ? told.flags : undefined)],
  ["evt.is_open_read", (event) => (isFile(event) ? !event.told.isWrite : undefined)],
  ["evt.is_open_write", (event) => (isFile(event) ? event.told.isWrite : undefined)],
  ["fd.num", () => 3],
  ["fd.typechar", (event) => (isFile(event) ? "f" : isSocket(event) ? "4" : undefined)],
  ["fd.type", (event) => (isFile(event) ? "file" : isSocket(event) ? "ipv4" : undefined)],
  ["fd.name", ({ told }) => told.path || undefined],
  ["fd.nameraw", ({ told }) => told.path || undefined],
  ["fd.directory", ({ told }) => (told.path === "" ? undefined : told.path.slice(0, told.path.lastIndexOf("/")))],
  ["fd.filename", ({ told }) => (told.path === "" ? undefined : told.path.slice(told.path.lastIndexOf("/") + 1))],
  ["fd.ip", (event) => (isSocket(event) ? ["10.0.0.2", event.told.ip] : undefined)],
  ["fd.net", (event) => (isSocket(event) ? ["10.0.0.2", event.told.ip] : undefined)],
  ["fd.sip", ({ told }) => told.ip || undefined],
  ["fd.snet", ({ told }) => told.ip || undefined],
  ["fd.sport", ({ told }) => told.port],
  ["fd.l4proto", (event) => (isSocket(event) ? "tcp" : undefined)],
  ["proc.name", ({ actor }) => actor.name],
  ["proc.exe", ({ actor }) => actor.name],
  ["proc.exepath", ({ actor }) => `/usr/bin/${actor.name}`],
  ["proc.args", ({ actor }) => actor.args],
  ["proc.cmdline", ({ actor }) => `${actor.name} ${actor.args}`],
  ["proc.pname", ({ actor }) => actor.parent],
  ["proc.pcmdline", ({ actor }) => `${actor.parent} -x`],
  ["proc.pexe", ({ actor }) => actor.parent],
  ["proc.cwd", () => "/srv/app/"],
  ["proc.tty", () => 0],
  ["proc.duration", () => 60_000_000_000],
  ["proc.is_exe_upper_layer", () => false],
  ["proc.is_exe_from_memfd", () => false],
  ["proc.aname", ({ actor }, level) => (level === undefined ? actor.ancestors : actor.ancestors[Number(level) - 1])],
  ["user.uid", ({ actor }) => actor.uid],
  ["user.name", () => "app"],
  ["thread.cap_effective", () => "CAP_CHOWN CAP_DAC_OVERRIDE CAP_NET_BIND_SERVICE"],
  ["container.id", ({ actor }) => actor.container],
  ["container.image.repository", ({ actor }) => (actor.container === "host" ? undefined : "registry.example/shop/web")],
  ["container.privileged", () => false],
  ["k8s.ns.name", ({ actor }) => (actor.container === "host" ? undefined : "shop")],
]);

const others = [
  ...["clone", "close", "read", "mmap", "procexit", "accept4", "setuid", "chmod", "rename", "unlink", "dup2", "socket"],
];
const folders = [
  ...["/usr/lib/x86_64-linux-gnu", "/var/lib/app/data", "/proc/self", "/etc", "/tmp", "/usr/share/zoneinfo", "/sys/fs"],
];
const programs = [
  ...[
    "nginx",
    "node",
    "java",
    "postgres",
    "sh",
    "bash",
    "python3",
    "curl",
    "redis-server",
    "containerd-shim",
    "ls",
    "cat",
  ],
];

const parents = ["containerd-shim", "tini", "node", "python3", "make"];

/** The same stream every time. */
export function stream(): BenchEvent[] {
  let seed = 42;
  const random = (limit: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (seed >>> 8) % limit;
  };
  const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;
  const processes = Array.from({ length: 400 }, (_, index) => ({
    memory: {},
    actor: {
      name: pick(programs),
      args: `--port ${index} -c config-${index}.yaml`,
      parent: pick(parents),
      ancestors: [pick(parents), "containerd-shim", "systemd"],
      container: random(10) < 8 ? `c${random(40)}` : "host",
      uid: random(3) === 0 ? 0 : 1000,
    },
  }));
  return Array.from({ length: count }, () => {
    const kind = random(100);
    const { actor, memory } = pick(processes);
    if (kind < 45) {
      const isWrite = random(10) === 0;
      const flags = isWrite ? "O_WRONLY|O_CREAT" : "O_RDONLY|O_CLOEXEC";
      return new BenchEvent(
        "openat",
        actor,
        { path: `${pick(folders)}/file-${random(5000)}.so.6`, flags, isWrite },
        memory,
      );
    }
    if (kind < 53) {
      const ip = `10.${random(256)}.${random(256)}.${random(256)}`;
      return new BenchEvent("connect", actor, { ip, port: pick([80, 443, 5432, 6379]) }, memory);
    }
    if (kind < 58) return new BenchEvent("execve", actor, {}, {});
    return new BenchEvent(pick(others), actor, {}, memory);
  });
}

export function run(): RulesBenchRow[] {
  const rows: RulesBenchRow[] = [];
  const stable = join(suitesDir(), "falco/falco_rules.yaml");
  const own = globSync("*.yaml", { cwd: join(import.meta.dirname, "../content/rules") })
    .filter((file) => !file.endsWith(".cases.yaml"))
    .toSorted()
    .map((file) => join(import.meta.dirname, "../content/rules", file));
  if (existsSync(stable)) rows.push(measure("Falco's stable rules", [stable], 1_000_000));
  if (own.length > 0) rows.push(measure("our own rules", own, 500_000));
  return rows;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function measure(what: string, files: readonly string[], limit: number): RulesBenchRow {
  const { ruleset } = loadRules(files.map((name) => ({ name, text: readFileSync(name, "utf8") })));
  const engine = createEngine(ruleset);
  const events = stream();
  let matches = 0;
  const took = Array.from({ length: rounds }, () => {
    matches = 0;
    collectGarbage();
    // Time of the processor: others use it, too.
    const start = process.threadCpuUsage();
    for (let pass = 0; pass < passes; pass++) {
      for (const event of events) {
        // A program that begins is a new process to the rules.
        if (event.type === "execve") event.process = {};
        matches += engine.match(event).length;
      }
    }
    const { user, system } = process.threadCpuUsage(start);
    return (user + system) / 1e6;
  });
  const median = took.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
  return { what: `${what} (${ruleset.rules.length})`, perSecond: (count * passes) / median, limit, matches };
}

export function print(rows: RulesBenchRow[]): boolean {
  console.log("rules, events per second on one core");
  for (const { what, perSecond, limit, matches } of rows) {
    const kept = perSecond >= limit;
    const rate = Math.round(perSecond).toLocaleString("en");
    console.log(
      `${kept ? "  ok  " : "  MISS"} ${rate.padStart(10)} of ${limit.toLocaleString("en")}  ${what}, ${matches} matches in ${count * passes}`,
    );
  }
  return rows.every(({ perSecond, limit }) => perSecond >= limit);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = print(run()) ? 0 : 1;
