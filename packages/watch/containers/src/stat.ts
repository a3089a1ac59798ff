/** `/proc/PID/stat`: proc_pid_stat(5). */
export interface ProcessStat {
  parent: number;
  isKernel: boolean;
  /** Clock ticks since boot. */
  startTicks: number;
}

/** `PF_KTHREAD`, include/linux/sched.h. */
const kernelThread = 0x200000;

/** Undefined for a process that has ended, or of which only the remains are there. */
export function parseStat(text: string): ProcessStat | undefined {
  // The name, in parentheses, may hold anything. Fields are counted from 1; these from the third.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parent] = fields;
  if (!state || state === "Z" || state === "X") return undefined;
  const flags = Number(fields[9 - 3]);
  return { parent: Number(parent), isKernel: (flags & kernelThread) !== 0, startTicks: Number(fields[22 - 3]) };
}
