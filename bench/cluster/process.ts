import { readdirSync, readFileSync } from "node:fs";

const ticksPerSecond = 100;

/** Milliseconds of processor time of a process, of all its threads and of its children, those that have ended among them. */
export function cpuOf(pid: number): number {
  return treeOf(pid).reduce((sum, one) => {
    const ticks = statOf(one)
      .slice(11, 15)
      .reduce((all, field) => all + Number(field), 0);
    return sum + (ticks * 1000) / ticksPerSecond;
  }, 0);
}

/** Megabytes of a process and its children; what they share counts for each. */
export function memoryOf(pid: number, what: "VmHWM" | "VmRSS" = "VmRSS"): number {
  return treeOf(pid).reduce((sum, one) => {
    const status = readFileSync(`/proc/${one}/status`, "utf8");
    return sum + Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  }, 0);
}

function treeOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean),
  );
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
}

/** Fields of `/proc/PID/stat` behind the command's name, which may have anything in it. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
