import { retryDelays, type Bus } from "./bus.ts";
import { openInProcessBus } from "./in-process.ts";

export interface BusOptions {
  /** URL of a NATS server with JetStream; the bus of this process where there is none. */
  nats?: string | undefined;
  /** Milliseconds before each further attempt at a piece of work that failed. */
  retryDelays?: readonly number[] | undefined;
}

/** Raises `BusError` `unavailable`. */
export async function openBus(options: BusOptions = {}): Promise<Bus> {
  const delays = options.retryDelays ?? retryDelays;
  if (options.nats === undefined) return openInProcessBus(delays);
  return (await import("./nats.ts")).openNatsBus(options.nats, delays);
}
