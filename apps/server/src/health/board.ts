import type { Component } from "@bulwark/model";
import type { Store } from "@bulwark/store";
import type { Limits } from "../limits.ts";
import type { LiveHub } from "../live/hub.ts";

/** What one part of the server says of itself. */
export type HealthReport = Pick<Component, "id" | "state" | "summary"> &
  Partial<Pick<Component, "node" | "reason" | "remedy" | "counters">>;

/**
 * State of every part. The server's own parts live in memory, so that a database that takes nothing can still be
 * told of; the nodes' parts, and those of other replicas, come from the store.
 */
export interface HealthBoard {
  report(report: HealthReport): void;
  list(now: number): Promise<Component[]>;
  /** Tells the other replicas how this one is, and that it lives. */
  share(): Promise<void>;
  /** This replica goes, and nobody shall miss it. */
  leave(): Promise<void>;
}

export function createHealthBoard(
  /** Name of this replica in health: `server`, or `server/<name>` where there are others. */
  replica: string,
  store: Store,
  live: LiveHub,
  limits: Limits,
): HealthBoard {
  const own = new Map<string, Component>();
  const shared = replica !== alone;

  function report(report: HealthReport): void {
    const component = {
      node: replica,
      reason: "",
      remedy: "",
      counters: {},
      ...report,
      updatedAt: Date.now(),
    } satisfies Component;
    const key = `${component.node}\n${component.id}`;
    const before = own.get(key);
    own.set(key, component);
    if (before?.state !== component.state || before.reason !== component.reason) void live.publish("health", component);
  }

  async function list(now: number): Promise<Component[]> {
    const mine = [...own.values()];
    const stored = (await store.health.list()).filter((item) => !own.has(`${item.node}\n${item.id}`));
    const leases = shared ? await store.leases.list(`${alone}/`) : [];
    // The store's clock says who lives: those of replicas may differ by more than the time that is asked for.
    const left = new Map(leases.map((lease) => [lease.name, lease.left]));
    return [
      ...mine,
      ...stored.map((item) => {
        if (!item.node.startsWith(`${alone}/`)) return doubt(item, now - item.updatedAt, limits.silence);
        const over = -(left.get(item.node) ?? -limits.replicaForgotten);
        return doubt(item, over > 0 ? limits.replicaSilence + over : 0, limits.replicaSilence);
      }),
    ];
  }

  async function share(): Promise<void> {
    if (!shared) return;
    // Its own name holds it: one that is started again lives at once.
    await store.leases.take(replica, replica, limits.replicaSilence);
    await store.health.put([...own.values()].filter(({ node }) => node === replica));
    for (const { name, left } of await store.leases.list(`${alone}/`)) {
      if (left > -limits.replicaForgotten) continue;
      await store.health.forget(name);
      await store.leases.release(name);
    }
  }

  async function leave(): Promise<void> {
    if (!shared) return;
    await store.health.forget(replica);
    await store.leases.release(replica, replica);
  }

  return { report, list, share, leave };
}

/** What a server is called that has no other beside it. */
export const alone = "server";

/** A node that says nothing is not well, whatever its last word was. */
function doubt(item: Component, silent: number, patience: number): Component {
  if (silent < patience || item.state === "off") return item;
  const reason = `nothing heard from ${item.node} for ${duration(silent)}; last: ${item.summary}`;
  const remedy = item.node.startsWith(`${alone}/`)
    ? "see why this replica ended; it is taken off this list in a while"
    : `see whether the agent runs on ${item.node} and reaches this server`;
  return { ...item, state: "failed", reason: reason.slice(0, 2048), remedy };
}

function duration(milliseconds: number): string {
  return milliseconds < 120_000
    ? `${Math.floor(milliseconds / 1000)} seconds`
    : `${Math.floor(milliseconds / 60_000)} minutes`;
}
