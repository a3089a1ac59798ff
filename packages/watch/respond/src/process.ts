import { readFile } from "node:fs/promises";

/** Clock ticks of /proc are a hundredth of a second on every architecture that Linux has kept (USER_HZ). */
const nanosecondsPerTick = 10_000_000n;

/** Fields of /proc/PID/stat behind the name, which may hold anything; proc_pid_stat(5) counts them from 3. */
async function stat(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Whether the process of that number is still the one that began then. */
export async function isSame(pid: number, startTime: bigint): Promise<boolean> {
  const ticks = (await stat(pid))?.[19];
  return ticks !== undefined && BigInt(ticks) === startTime / nanosecondsPerTick;
}

export async function parentOf(pid: number): Promise<number> {
  return Number((await stat(pid))?.[1] ?? 0);
}

/** Its cgroups by hierarchy: `""` is version 2, the others are lists of controllers of version 1. */
export async function cgroupsOf(pid: number | "self"): Promise<Map<string, string>> {
  const text = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(
    lines.map((line) => {
      const [, controllers = "", ...path] = line.split(":");
      return [controllers, path.join(":")];
    }),
  );
}
