import { readFileSync } from "node:fs";
import type { Product } from "../../e2e/product.ts";

interface Figures {
  /** Seconds: the longest pause of the event loop since somebody asked before, and that in 1 of 100 turns. */
  lagMax: number;
  lag99: number;
  /** Bytes. */
  memory: number;
}

/** Starts the product with these of its own environment, for `figuresOf` to be answered. */
export const metricsEnvironment = { BULWARK_METRICS_TOKEN: "bench" };

/** What a server says of itself. */
export async function figuresOf(product: Product): Promise<Figures> {
  const answer = await fetch(`${product.url}/metrics`, {
    headers: { authorization: `Bearer ${metricsEnvironment.BULWARK_METRICS_TOKEN}` },
  });
  const text = await answer.text();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  const status = readFileSync(`/proc/${product.process.pid ?? 0}/status`, "utf8");
  return {
    lagMax: value("bulwark_nodejs_eventloop_lag_max_seconds"),
    lag99: value("bulwark_nodejs_eventloop_lag_p99_seconds"),
    memory: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) * 1024,
  };
}
