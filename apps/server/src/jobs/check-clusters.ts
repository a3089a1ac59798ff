import { errorText, type BenchmarkReport } from "@bulwark/model";
import { inThread } from "../benchmarks/thread.ts";
import type { Context } from "../context.ts";
import { knownClusters, openSource, type KnownCluster } from "../kubernetes/sources.ts";
import type { TimedJob } from "./job.ts";

/** A cluster that could not be read is not tried again before. */
const pauseAfterFailure = 600_000;

/**
 * Holds every cluster that this server reads, or that a collector tells of, against benchmarks: once after the server has
 * started, which may have brought new checks, and in turn.
 */
export function checkClusters(): TimedJob {
  const started = Date.now();
  const failed = new Map<string, number>();
  return {
    name: "check-clusters",
    once: true,
    every: (limits) => limits.clusterCheckPoll,
    first: (limits) => limits.clusterCheckFirst,

    async run(context, signal) {
      const { store, limits } = context;
      const known = await store.benchmarks.subjects();
      for (const cluster of await knownClusters(context)) {
        const { name } = cluster;
        const before = known.find(({ subject }) => subject.kind === "cluster" && subject.name === name);
        const now = Date.now();
        const isFresh = (before?.collectedAt ?? 0) >= Math.max(started, now - limits.clusterCheckEvery);
        if (isFresh || now - (failed.get(name) ?? 0) < pauseAfterFailure) continue;
        try {
          await check(cluster, context, signal);
          failed.delete(name);
        } catch (error) {
          if (signal.aborted) return;
          failed.set(name, now);
          // The others are looked at all the same; health says that this one cannot be read (keep.ts).
          context.logger.warn({ cluster: name, reason: errorText(error) }, "a cluster could not be checked");
        }
      }
    },
  };
}

async function check(cluster: KnownCluster, context: Context, signal: AbortSignal): Promise<void> {
  const { store, advisoryDatabase: advisories } = context;
  using open = await openSource(cluster, context);
  const { source, transfer } = open;
  const job = { kind: "cluster", name: cluster.name, source, advisories } as const;
  await store.benchmarks.put(await inThread<BenchmarkReport>(job, { signal, transfer }), Date.now());
}
