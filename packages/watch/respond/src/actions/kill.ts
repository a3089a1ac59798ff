import { systemCode, type Action, type Container } from "@bulwark/model";
import type { Attempt, HandlerOf, Lack } from "../action.ts";
import { whyNot } from "../guard.ts";
import { isSame } from "../process.ts";

type Kill = Extract<Action, { kind: "kill" }>;

/**
 * Ends a process that runs. This does not prevent what it did so far, nor what its children go on doing. Between the look
 * at its start and the signal its number could be used again; the kernel uses all other numbers first.
 */
export const kill: HandlerOf<"kill"> = {
  plan: ({ process }) => `kill process ${process.pid}`,
  lack: async ({ action, container }) => lackOf(action, container),
  async act({ action, container }) {
    const { pid } = action.process;
    const lack = await lackOf(action, container);
    return lack ? { ok: false, ...lack } : send(pid);
  },
};

async function lackOf({ process: { pid, startTime } }: Kill, container: Container): Promise<Lack | undefined> {
  const remedy = "Nothing is to be done.";
  const reason = await whyNot(pid, container);
  if (reason !== undefined) return { text: `process ${pid}: ${reason}`, remedy };
  if (await isSame(pid, BigInt(startTime))) return undefined;
  return { text: `process ${pid} ended, its number is another's`, remedy };
}

function send(pid: number): Attempt {
  try {
    process.kill(pid, "SIGKILL");
    return { ok: true, text: `process ${pid} was killed` };
  } catch (error) {
    const code = systemCode(error);
    if (code === "ESRCH") return { ok: false, text: `process ${pid} ended before`, remedy: "Nothing is to be done." };
    return { ok: false, text: `process ${pid}: ${code ?? String(error)}`, remedy: "Give the agent CAP_KILL." };
  }
}
