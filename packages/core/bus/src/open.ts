import type { Bus } from "./bus.ts";
import { openInProcessBus } from "./in-process.ts";

/** NATS JetStream where a URL is given, else the bus of this process. Raises `BusError`. */
export async function openBus(options: { nats?: string | undefined } = {}): Promise<Bus> {
  if (options.nats === undefined) return openInProcessBus();
  return (await import("./nats.ts")).openNatsBus(options.nats);
}
