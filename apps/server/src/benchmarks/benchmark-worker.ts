/** A thread for what would hold up the server: compiling checks, and judging a whole cluster. */
import { existsSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { openDatabase } from "@bulwark/advisory/lookup";
import { catalogueOf, collectCluster, evaluateBenchmark, loadLibrary } from "@bulwark/benchmark";
import type { BenchmarkReport } from "@bulwark/model";
import { openReader } from "../kubernetes/reader.ts";
import type { BenchmarkJob } from "./thread.ts";

const job = workerData as BenchmarkJob;
parentPort?.postMessage(job.kind === "catalogue" ? catalogueOf(loadLibrary()) : await check(job));

async function check({
  name,
  source,
  advisories,
}: Extract<BenchmarkJob, { kind: "cluster" }>): Promise<BenchmarkReport> {
  using kube = openReader(source);
  const collectedAt = Date.now();
  using database = existsSync(advisories) ? openDatabase(advisories) : undefined;
  const facts = await collectCluster(kube, database);
  const judged = evaluateBenchmark(loadLibrary(), { kind: "cluster", name }, facts);
  return { ...judged, collectedAt, durationMs: Date.now() - collectedAt };
}
