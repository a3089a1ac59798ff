import { feeds } from "./feeds.ts";
import { btf, capabilities, cgroups, kernel } from "./kernel.ts";
import { clock, disk, port } from "./machine.ts";
import type { Finding, Probe, ProbeContext } from "./probe.ts";
import { sensor } from "./sensor.ts";
import { runtimes } from "./sockets.ts";

/** Every look at the machine, in the order of the report. */
const probes: Probe[] = [kernel, btf, capabilities, cgroups, sensor, runtimes, port, disk, clock, feeds];

export async function examine(context: ProbeContext): Promise<Finding[]> {
  const found = await Promise.all(probes.map((probe) => probe(context)));
  return found.flat();
}
