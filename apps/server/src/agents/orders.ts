import { randomUUID } from "node:crypto";
import type { Bus } from "@bulwark/bus";
import { errorText, type ActionOrder, type ActionRecord } from "@bulwark/model";
import type { Context } from "../context.ts";
import type { TimedJob } from "../jobs/job.ts";

/** An order that no agent took for so long is given up: what was right a minute ago need not be right now. */
const orderLife = 60_000;
/** How long an agent's question waits for an answer; shorter than it waits itself. */
const patience = 4000;
const mostAsking = 10_000;

/** Wakes the questions of agents when there is something for them, whichever replica took the order. */
export interface OrderBell extends AsyncDisposable {
  ring(node: string): Promise<void>;
  /** Resolves when it rings for the node, or after some seconds. */
  wait(node: string, signal: AbortSignal): Promise<void>;
}

export async function createOrderBell(bus: Bus): Promise<OrderBell> {
  const waiting = new Map<string, Set<() => void>>();
  let asking = 0;
  const subscription = await bus.subscribe("ordered", ({ node }) => {
    for (const wake of waiting.get(node) ?? []) wake();
  });
  return {
    async ring(node) {
      // Where the bus is away, the next question has it.
      await bus.publish("ordered", { node }).catch(() => undefined);
    },
    async wait(node, signal) {
      if (asking >= mostAsking || signal.aborted) return;
      asking++;
      await new Promise<void>((resolve) => {
        const own = waiting.get(node) ?? new Set();
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", wake);
          own.delete(wake);
          if (own.size === 0) waiting.delete(node);
          resolve();
        };
        const timer = setTimeout(wake, patience);
        signal.addEventListener("abort", wake);
        waiting.set(node, own.add(wake));
      });
      asking--;
    },
    async [Symbol.asyncDispose]() {
      await subscription[Symbol.asyncDispose]();
    },
  };
}

/** Keeps an order for the agent of a node and wakes it. */
export async function giveOrder(
  given: Omit<ActionOrder, "id" | "expiresAt"> & { id?: string },
  record: ActionRecord | null,
  context: Context,
  now: number,
): Promise<void> {
  await context.store.actions.order({ id: randomUUID(), ...given, expiresAt: now + orderLife }, record, now);
  await context.orderBell.ring(given.node);
}

/** Says of orders that no agent took that they are given up. */
export const expireOrders: TimedJob = {
  name: "orders",
  once: true,
  every: () => 10_000,

  async run({ store, live, logger }) {
    for (const record of await store.actions.expire(Date.now())) {
      logger.warn({ action: record.id, node: record.node }, errorText(record.text));
      await live.publish("action", record);
    }
  },
};
