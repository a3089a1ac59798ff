import { setTimeout as pause } from "node:timers/promises";
import { createDetectors, Pipeline, steadyClock, type Owner } from "@bulwark/detect";
import type { AgentRecord, Component } from "@bulwark/model";
import type { Recording } from "./recording.ts";

export type { Recording } from "./recording.ts";

export interface ReplayOptions {
  node: string;
  speed: number;
  send(records: AgentRecord[]): Promise<void>;
  signal: AbortSignal;
}

/** Milliseconds before the attack begins, so that somebody can open the console first. */
const lead = 4000;
const listInterval = 5000;

/**
 * Plays a recording as if it happened now: containers and images first, then what the kernel told, at its own pace,
 * through the same process table and detectors as on a node. Then the containers just run on, until the signal.
 */
export async function replayAttack({ containers, reports, records }: Recording, options: ReplayOptions): Promise<void> {
  const { node, speed, send, signal } = options;
  const began = Date.now();
  const now = containers.map((container, index) => ({
    ...container,
    node,
    startedAt: began - (index + 1) * 5_400_000,
  }));
  await send([
    ...now.map((container): AgentRecord => ({ type: "container", container })),
    ...reports.map((report): AgentRecord => ({ type: "image", report: { ...report, scannedAt: began } })),
    { type: "health", components: components(node, began) },
  ]);

  const out: AgentRecord[] = [];
  const first = records[0]?.time ?? 0n;
  const milliseconds = (time: bigint): number => Number((time - first) / 1_000_000n) / speed;
  const pipeline = new Pipeline({
    node,
    run: "demo",
    detectors: createDetectors(),
    host: false,
    ownerOf: (cgroups) => ownerOf(now, cgroups),
    epoch: (time) => Math.round(began + lead / speed + milliseconds(time)),
    now: steadyClock(),
    emit: (emitted) => out.push(...emitted),
    missingOwner: () => undefined,
  });
  const alive = setInterval(() => {
    void send([{ type: "containers", node, running: now.map(({ id }) => id) }]).catch(() => undefined);
  }, listInterval);
  try {
    for (const record of records) {
      const due = began + lead / speed + milliseconds(record.time) - Date.now();
      if (due > 0) await pause(due, undefined, { signal });
      pipeline.push([record]);
      if (out.length > 0) await send(out.splice(0));
    }
    await pause(2 ** 31 - 1, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(alive);
  }
}

function ownerOf(containers: Recording["containers"], cgroups: readonly string[]): Owner {
  const container = containers.find(({ id }) => cgroups.some((path) => path.split("/").includes(id)));
  return container ? { attribution: "container", container } : { attribution: "host" };
}

function components(node: string, updatedAt: number): Component[] {
  const part = (id: string, summary: string): Component => ({
    id,
    node,
    state: "ok",
    summary,
    reason: "",
    remedy: "",
    counters: {},
    updatedAt,
  });
  return [
    part("sensor", "A recording is replayed in place of a kernel"),
    part("runtime:containerd", "4 containers, as they were when the attack was recorded"),
  ];
}
