import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { actionRecord, errorText, systemCode, type ActionRecord } from "@bulwark/model";
import type { Logger } from "@bulwark/telemetry";
import { z } from "zod";
import { startTicks } from "@bulwark/sensor";

/** A process that enforces for a sensor. Its start tells it from a later one with its number. */
const guard = z.strictObject({ pid: z.number().int().positive(), startTicks: z.string() });
const entry = z.strictObject({ record: actionRecord, guard });
export type ClosedOrder = z.infer<typeof entry>;

/**
 * What is enforced also when the agent is gone (`onFailure: closed`), on disk: an agent that was killed finds it again, and
 * the process that enforces it.
 */
export class ClosedOrders {
  readonly #path: string;
  readonly #log: Logger;
  readonly #orders: Map<string, ClosedOrder>;

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
    this.#orders = new Map(load(path, log).map((order) => [order.record.id, order]));
  }

  all(): ClosedOrder[] {
    return [...this.#orders.values()];
  }

  /** Takes in what became of an order, and which process enforces it now. */
  told(record: ActionRecord, guardPid: number | undefined): void {
    const { id, state, until, action } = record;
    const isKept = state === "done" && until !== null && "onFailure" in action && action.onFailure === "closed";
    if (isKept && guardPid !== undefined) {
      const ticks = startTicks(guardPid);
      if (ticks === undefined || this.#orders.get(id)?.guard.pid === guardPid) return;
      this.#orders.set(id, { record, guard: { pid: guardPid, startTicks: String(ticks) } });
    } else if (isKept || !this.#orders.delete(id)) {
      return;
    }
    this.#save();
  }

  forget(id: string): void {
    if (this.#orders.delete(id)) this.#save();
  }

  #save(): void {
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(this.all()), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch (error) {
      this.#log.error(
        { reason: errorText(error) },
        "what is enforced is not kept; an agent that is killed will not find it",
      );
    }
  }
}

function load(path: string, log: Logger): ClosedOrder[] {
  try {
    return z.array(entry).parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (systemCode(error) !== "ENOENT") {
      log.error({ reason: errorText(error) }, "what was enforced before cannot be read; it ends at its limit");
    }
    return [];
  }
}

/** Ends the process that enforced for an agent which was killed, if it is still that one. */
export function endGuard({ pid, startTicks: started }: ClosedOrder["guard"]): void {
  if (String(startTicks(pid)) !== started) return;
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It ended by itself.
  }
}
