import { readFile, rename, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { actionOrder, errorText, systemCode, type ActionOrder } from "@bulwark/model";
import type { Logger } from "@bulwark/telemetry";
import { z } from "zod";
import type { Connection } from "./connection.ts";

export interface OrdersOptions {
  connection: Connection;
  node: string;
  /** Where it is kept which orders were taken. */
  path: string;
  log: Logger;
  act(order: ActionOrder): Promise<void>;
  /** The control plane has these settings. */
  settings(revision: number): void;
}

const answer = z.object({ orders: z.array(z.unknown()).max(1000), settings: z.number().int().optional() });
const kept = z.record(z.string(), z.number());
const mostKept = 20_000;
/** An order is good for a minute by the server's clock, which may differ from ours. */
const tolerance = 3_600_000;
const firstPause = 250;
const lastPause = 5000;

/**
 * Asks the control plane what is to be done here, and does it once: over the connection on which the control plane has
 * shown that it is the one that this node joined, for this node only, and never an order that was taken before. That it
 * was taken is on disk before it is done.
 */
export class Orders implements AsyncDisposable {
  /** Orders that were not done: for another node, too old, taken before, unreadable. */
  refused = 0;
  taken = 0;
  readonly #options: OrdersOptions;
  readonly #seen: Map<string, number>;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  private constructor(options: OrdersOptions, seen: Map<string, number>) {
    this.#options = options;
    this.#seen = seen;
    this.#running = this.#run();
  }

  static async open(options: OrdersOptions): Promise<Orders> {
    return new Orders(options, await load(options));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let done: string[] = [];
    for (let pause = firstPause; !signal.aborted;) {
      const asked = Date.now();
      try {
        const orders = await this.#ask(done);
        done = [];
        for (const told of orders) {
          const id = await this.#take(told);
          if (id !== undefined) done.push(id);
        }
        pause = firstPause;
        // A server that answers at once with nothing is not asked without end.
        if (orders.length === 0 && Date.now() - asked < firstPause) await sleep(firstPause, undefined, { signal });
      } catch {
        // The server away is an ordinary state, which the spool's health tells.
        await sleep(pause, undefined, { signal }).catch(() => undefined);
        pause = Math.min(pause * 2, lastPause);
      }
    }
  }

  async #ask(taken: string[]): Promise<unknown[]> {
    const body = Buffer.from(JSON.stringify({ taken }));
    const { status, body: told } = await this.#options.connection.call(
      "POST",
      "/api/agent/v1/orders",
      { body },
      this.#stopping.signal,
    );
    if (status !== 200) throw new Error(`the server answered ${status}`);
    const { orders, settings } = answer.parse(told);
    if (settings !== undefined) this.#options.settings(settings);
    return orders;
  }

  /** The id of what need not be told again. */
  async #take(told: unknown): Promise<string | undefined> {
    const { node, act, log } = this.#options;
    const parsed = actionOrder.safeParse(told);
    if (!parsed.success) {
      this.refused++;
      log.error({ reason: parsed.error.issues[0]?.message }, "an order cannot be read; it is not done");
      return undefined;
    }
    const order = parsed.data;
    const wrong = this.#whyNot(order, node);
    if (wrong !== undefined) {
      this.refused++;
      log.error({ order: order.id, reason: wrong }, "an order is not done");
      return order.id;
    }
    await this.#keep(order.id);
    this.taken++;
    // Not waited for: one that takes long does not hold up an undo.
    act(order).catch((error: unknown) => log.error({ order: order.id, reason: errorText(error) }, "an order failed"));
    return order.id;
  }

  #whyNot(order: ActionOrder, node: string): string | undefined {
    if (order.node !== node) return `it is for the node ${order.node}`;
    if (this.#seen.has(order.id)) return "it was taken before";
    if (order.expiresAt < Date.now() - tolerance) return "its time was over long ago";
    return undefined;
  }

  async #keep(id: string): Promise<void> {
    const { path } = this.#options;
    this.#seen.set(id, Date.now());
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= mostKept) break;
      this.#seen.delete(oldest);
    }
    await writeFile(`${path}.new`, JSON.stringify(Object.fromEntries(this.#seen)), { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running.catch(() => undefined);
  }
}

async function load({ path, log }: OrdersOptions): Promise<Map<string, number>> {
  try {
    return new Map(Object.entries(kept.parse(JSON.parse(await readFile(path, "utf8")))));
  } catch (error) {
    if (systemCode(error) !== "ENOENT") log.warn({ path, reason: errorText(error) }, "orders on disk are unreadable");
    return new Map();
  }
}
