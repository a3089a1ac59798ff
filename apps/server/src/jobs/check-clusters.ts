import { errorText, type BenchmarkReport } from "@bulwark/model";
import { inThread } from "../benchmarks/thread.ts";
import { namedClusters } from "../kubernetes/keep.ts";
import type { TimedJob } from "./job.ts";

/** Holds every cluster that this server reads itself against benchmarks. */
export const checkClusters: TimedJob = {
  name: "check-clusters",
  once: true,
  every: (limits) => limits.clusterCheckEvery,
  first: (limits) => limits.clusterCheckFirst,

  async run(context, signal) {
    for (const { name, access } of namedClusters(context)) {
      if (signal.aborted) return;
      try {
        const report = await inThread<BenchmarkReport>(
          { kind: "cluster", name, access, advisories: context.advisoryDatabase },
          signal,
        );
        await context.store.benchmarks.put(report, Date.now());
      } catch (error) {
        // The others are looked at all the same; health says that this one cannot be read (keep.ts).
        context.logger.warn({ cluster: name, reason: errorText(error) }, "a cluster could not be checked");
      }
    }
  },
};
