import type { Component } from "@bulwark/model";
import type { Store } from "@bulwark/store";
import type { Limits } from "../limits.ts";
import type { LiveHub } from "../live/hub.ts";

/** What one part of the server says of itself. */
export type HealthReport = Pick<Component, "id" | "state" | "summary"> &
  Partial<Pick<Component, "node" | "reason" | "remedy" | "counters">>;

/**
 * State of every part. The server's own parts live in memory, so that a database that takes nothing can still be
 * told of; the nodes' parts come from the store.
 */
export interface HealthBoard {
  report(report: HealthReport): void;
  list(now: number): Promise<Component[]>;
}

export function createHealthBoard(store: Store, live: LiveHub, limits: Limits): HealthBoard {
  const own = new Map<string, Component>();

  function report(report: HealthReport): void {
    const component = {
      node: "server",
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
    return [...mine, ...stored.map((item) => doubt(item, now, limits.silence))];
  }

  return { report, list };
}

/** A node that says nothing is not well, whatever its last word was. */
function doubt(item: Component, now: number, silence: number): Component {
  const silent = now - item.updatedAt;
  if (silent < silence || item.state === "off") return item;
  return {
    ...item,
    state: "failed",
    reason: `nothing heard from ${item.node} for ${Math.floor(silent / 60_000)} minutes; last: ${item.summary}`.slice(
      0,
      2048,
    ),
    remedy: `see whether the agent runs on ${item.node} and reaches this server`,
  };
}
