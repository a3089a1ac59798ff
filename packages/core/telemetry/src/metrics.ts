import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** Metrics of this process, in Prometheus' text format at `/metrics`. Names begin with `bulwark_`. */
export const metrics = new Registry();

export function counter<L extends string = never>(name: string, help: string, labels: L[] = []): Counter<L> {
  return new Counter({ name: `bulwark_${name}`, help, labelNames: labels, registers: [metrics] });
}

export function gauge<L extends string = never>(name: string, help: string, labels: L[] = []): Gauge<L> {
  return new Gauge({ name: `bulwark_${name}`, help, labelNames: labels, registers: [metrics] });
}

/** `buckets` in the unit that the name ends with (`_seconds`). */
export function histogram<L extends string = never>(
  name: string,
  help: string,
  buckets: number[],
  labels: L[] = [],
): Histogram<L> {
  return new Histogram({ name: `bulwark_${name}`, help, buckets, labelNames: labels, registers: [metrics] });
}

/** Adds the process's own figures (memory, event loop, handles). Once, by the entry point. */
export function collectProcessMetrics(): void {
  collectDefaultMetrics({ register: metrics, prefix: "bulwark_" });
}
