import type { Entry, ProcessTable } from "./process-table.ts";

/**
 * Tells the agent's own process and its parts: of its own programs, and started by it. In a pod it loads the sensor and
 * looks into other containers, which is what attackers do. Somebody who comes into its pod is started by others, whatever
 * he runs; what the agent is made to start is another program, whoever started it.
 */
export function ownProcesses({
  pid,
  programs,
}: {
  /** Of the agent, as the kernel counts. */
  pid: number;
  /** Paths of the agent's program and of the sensor's. */
  programs: ReadonlySet<string>;
}): (entry: Entry, table: ProcessTable) => boolean {
  return (entry, table) => {
    if (!programs.has(entry.executable)) return false;
    // What ran before the sensor may be told after what it starts: then the agent is known as a parent alone.
    return [entry, ...table.ancestors(entry)].some(
      (one) => (one.pid === pid && one.endedAt === 0) || one.parentPid === pid,
    );
  };
}
