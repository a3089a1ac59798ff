import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** How a program of the cluster is started; kept in the cluster's state, so that it can be started again. */
export interface Command {
  /** Network namespace, a name in /var/run/netns. */
  namespace: string;
  /** Mount namespace, a file; that of the machine without one. */
  mounts?: string;
  program: string;
  args: string[];
}

/** A started program. Its start time tells it from a later process with the same id. */
export interface Process {
  pid: number;
  startTime: string;
}

/** Starts a program that outlives this one; what it prints goes to `log`. */
export function start({ namespace, mounts, program, args }: Command, log: string): Process {
  const file = openSync(log, "a");
  // Not `ip netns exec`: that mounts a new /sys, and so hides the cgroups.
  const namespaces = [`--net=${namespacePath(namespace)}`, ...(mounts === undefined ? [] : [`--mount=${mounts}`])];
  const child = spawn("nsenter", [...namespaces, program, ...args], {
    stdio: ["ignore", file, file],
    detached: true,
    cwd: "/",
  });
  closeSync(file);
  child.unref();
  if (child.pid === undefined) throw new Error(`${program} could not be started`);
  return { pid: child.pid, startTime: startTimeOf(child.pid) ?? "" };
}

export function isRunning({ pid, startTime }: Process): boolean {
  return startTimeOf(pid) === startTime;
}

/** Asks it to end, waits, and insists after `patience` milliseconds. */
export async function stop(process: Process, signal: NodeJS.Signals = "SIGTERM", patience = 8000): Promise<void> {
  if (!isRunning(process)) return;
  kill(process.pid, signal);
  const deadline = Date.now() + patience;
  while (isRunning(process)) {
    if (Date.now() > deadline) kill(process.pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

export function namespacePath(name: string): string {
  return join("/var/run/netns", name);
}

/** Field 22 of /proc/PID/stat in clock ticks since boot; undefined for a process that has ended. */
export function startTimeOf(pid: number): string | undefined {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return undefined;
  try {
    const fields = readFileSync(path, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
