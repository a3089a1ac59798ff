import { readFile, readlink } from "node:fs/promises";
import type { Container } from "@bulwark/model";
import { cgroupPaths } from "./cgroups.ts";
import { hostProcess } from "./host.ts";
import { parseStat, type ProcessStat } from "./stat.ts";

type Namespace = Container["hostNamespaces"][number];

/** What the kernel says of a container's first process. */
export interface ProcessFacts {
  /** Clock ticks since boot: with the process id, it names a process for good. */
  startTicks: number;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Cgroup paths that are the container's own: not those that it shares with the process that started it. */
  cgroups: string[];
  /** Undefined where the host's namespaces cannot be seen. */
  hostNamespaces: Namespace[] | undefined;
  /** In a user namespace of its own, as everything is that a user without privilege has started. */
  ownUserNamespace: boolean;
}

/** Undefined when there is no such process, or it cannot be seen from here. */
export async function processFacts(pid: number): Promise<ProcessFacts | undefined> {
  const stat = await processStat(pid);
  if (!stat) return undefined;
  const [own, parents, shared, user] = await Promise.all([
    cgroupPaths(pid),
    cgroupPaths(stat.parent),
    sharedNamespaces(pid),
    Promise.all([namespaceOf(pid, "user"), namespaceOf(hostProcess(), "user")]),
  ]);
  const uptime = Number((await readFile("/proc/uptime", "utf8")).split(" ")[0]) * 1000;
  const cgroups = [...own].filter(([hierarchy, path]) => parents.get(hierarchy) !== path).map(([, path]) => path);
  return {
    startTicks: stat.startTicks,
    startedAt: Math.round(Date.now() - uptime + stat.startTicks * millisecondsPerTick),
    cgroups: [...new Set(cgroups)],
    hostNamespaces: shared,
    ownUserNamespace: user[0] !== undefined && user[1] !== undefined && user[0] !== user[1],
  };
}

/** `USER_HZ`: 100 on every architecture that Node runs on. */
const millisecondsPerTick = 10;

/** Undefined when there is no such process, or only its remains. */
export async function processStat(pid: number): Promise<ProcessStat | undefined> {
  return parseStat(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""));
}

const told = ["pid", "net", "ipc", "uts", "mnt"] as const satisfies Namespace[];

async function sharedNamespaces(pid: number): Promise<Namespace[] | undefined> {
  const other = hostProcess();
  const pairs = await Promise.all(
    told.map(async (name) => ({ name, own: await namespaceOf(pid, name), host: await namespaceOf(other, name) })),
  );
  if (pairs.some(({ own, host }) => own === undefined || host === undefined)) return undefined;
  return pairs.filter(({ own, host }) => own === host).map(({ name }) => name);
}

async function namespaceOf(pid: number, name: Namespace): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/${name}`).catch(() => undefined);
}
