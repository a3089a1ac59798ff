/** The thread of one look at how the host is set up: thousands of small reads hold nobody up. */
import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { chosen, collectHost, evaluateBenchmark, loadLibrary, needsOf } from "@bulwark/benchmark";
import type { BenchmarkReport, HostPrograms } from "@bulwark/model";

export interface BenchmarkJob {
  node: string;
  /** Where the host's root is mounted. */
  root: string;
}

// Of this thread alone, on Linux: what the agent watches goes first.
setPriority(0, constants.priority.PRIORITY_LOW);
const { node, root } = workerData as BenchmarkJob;
const library = loadLibrary();
const collectedAt = Date.now();
const facts = collectHost({ root, needs: needsOf(chosen(library, "host", {})) });
const judged = evaluateBenchmark(library, { kind: "host", name: node }, facts);
const programs = facts.values["programs"] as HostPrograms;
const durationMs = Date.now() - collectedAt;
parentPort?.postMessage({ ...judged, programs, collectedAt, durationMs } satisfies BenchmarkReport);
