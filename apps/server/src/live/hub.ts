import { randomBytes } from "node:crypto";
import type { Bus, Messages } from "@bulwark/bus";
import type { StreamTopic } from "@bulwark/contract";
import { errorText } from "@bulwark/model";
import type { Logger } from "@bulwark/telemetry";
import { count } from "../http/figures.ts";
import type { Limits } from "../limits.ts";
import { createRing, type Frame } from "./ring.ts";

/** What open pages hear of. Messages go over the bus, so that a page on any replica hears of every replica's. */
export interface LiveHub extends AsyncDisposable {
  /** Never throws: a page that misses a message fetches anew, a batch that is stored stays stored. */
  publish(topic: StreamTopic, data: unknown): Promise<void>;
  /** `since`: id of the last frame that the page has; `missed` is undefined when some are lost for it. */
  listen(listener: (frame: Frame) => void, since?: string): { missed: Frame[] | undefined; last: string; stop(): void };
}

export async function createLiveHub(bus: Bus, limits: Limits, logger: Logger): Promise<LiveHub> {
  // NATS numbers messages for all replicas and for good; the bus in the process begins anew with it.
  const epoch = bus.kind === "nats" ? "" : `${randomBytes(6).toString("hex")}-`;
  const ring = createRing(`${randomBytes(6).toString("hex")}-start`, {
    frames: limits.streamKept,
    bytes: limits.streamKeptBytes,
  });
  const listeners = new Set<(frame: Frame) => void>();

  const subscription = await bus.subscribe("live", (message, id) => {
    const frame = toFrame(message, `${epoch}${id}`);
    ring.push(frame);
    for (const listener of listeners) listener(frame);
  });

  async function publish(topic: StreamTopic, data: unknown): Promise<void> {
    try {
      await bus.publish("live", { topic, data });
    } catch (error) {
      count.publishFailed.inc({ subject: "live" });
      logger.warn({ topic, reason: errorText(error) }, "open pages did not hear of a change");
    }
  }

  function listen(listener: (frame: Frame) => void, since?: string) {
    listeners.add(listener);
    const missed = since === undefined ? [] : ring.after(since);
    return { missed, last: ring.last, stop: () => void listeners.delete(listener) };
  }

  async function dispose(): Promise<void> {
    listeners.clear();
    await subscription[Symbol.asyncDispose]();
  }

  return { publish, listen, [Symbol.asyncDispose]: dispose };
}

/** Serialised once, however many pages are open. JSON has no raw line break, so one `data:` line holds it. */
function toFrame(message: Messages["live"], id: string): Frame {
  const { topic, data } = message;
  return { id, topic, text: `id: ${id}\nevent: ${topic}\ndata: ${JSON.stringify(data ?? null)}\n\n` };
}
