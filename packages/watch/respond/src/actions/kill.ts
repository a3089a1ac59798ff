import { systemCode, type Container } from "@bulwark/model";
import type { Attempt, ProcessTarget } from "../action.ts";
import { whyNot } from "../guard.ts";
import { isSame } from "../process.ts";

/**
 * Ends a process that runs. This does not prevent what it did so far, nor what its children go on doing. Between the look
 * at its start and the signal its number could be used again; the kernel uses all other numbers first.
 */
export async function kill({ pid, startTime }: ProcessTarget, container: Container): Promise<Attempt> {
  const reason = await whyNot(pid, container);
  if (reason !== undefined) return { ok: false, text: `process ${pid}: ${reason}`, remedy: "Nothing is to be done." };
  if (!(await isSame(pid, startTime))) {
    return { ok: false, text: `process ${pid} ended, its number is another's`, remedy: "Nothing is to be done." };
  }
  try {
    process.kill(pid, "SIGKILL");
    return { ok: true, text: `process ${pid} was killed` };
  } catch (error) {
    const code = systemCode(error);
    if (code === "ESRCH") return { ok: false, text: `process ${pid} ended before`, remedy: "Nothing is to be done." };
    return { ok: false, text: `process ${pid}: ${code ?? String(error)}`, remedy: "Give the agent CAP_KILL." };
  }
}
