import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { followCluster } from "@bulwark/cluster";
import { connect, KubeError } from "@bulwark/kube";
import { errorText, type KubeCluster } from "@bulwark/model";
import type { ClusterAccess } from "../benchmarks/thread.ts";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";
import { summaryOf, takeChanges } from "./take.ts";

/** A cluster that the configuration names, or the one that the server is in. */
interface Named {
  name: string;
  /** As `connect` takes it. */
  access: ClusterAccess;
}

const firstPause = 1000;
const lastPause = 60_000;

/** Who holds this one tells the store of the cluster. */
export function leaseOf(cluster: string): string {
  return `cluster/${cluster}`;
}

/**
 * Keeps what is known of each cluster up to date. With several replicas one of them has a cluster at a time; another one
 * takes it over when that one falls silent, and begins with a whole list.
 */
export async function keepClusters(context: Context): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const holder = randomUUID();
  const running = namedClusters(context).map(async (cluster) => keep(cluster, holder, context, stop.signal));
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(running);
    },
  };
}

export function namedClusters({ config }: Context): Named[] {
  const { name, clusters } = config.server.kubernetes;
  const named = clusters.map((cluster) => ({
    name: cluster.name,
    access: {
      kubeconfig: cluster.kubeconfig,
      ...(cluster.context === undefined ? {} : { context: cluster.context }),
    },
  }));
  if (!process.env["KUBERNETES_SERVICE_HOST"] || named.some((cluster) => cluster.name === name)) return named;
  return [{ name, access: {} }, ...named];
}

async function keep(cluster: Named, holder: string, context: Context, closing: AbortSignal): Promise<void> {
  const { limits, logger, store } = context;
  const lease = leaseOf(cluster.name);
  let pause = firstPause;
  while (!closing.aborted) {
    const has = await store.leases.take(lease, holder, limits.clusterLease).catch(() => false);
    if (!has) {
      report(context, cluster.name, {
        state: "ok",
        summary: "Another replica keeps up with it",
        reason: "",
        remedy: "",
      });
      await wait(limits.clusterLease / 3, closing);
      continue;
    }
    const lost = new AbortController();
    const signal = AbortSignal.any([closing, lost.signal]);
    const renewing = renew(lease, holder, context, signal).then(
      () => lost.abort(),
      () => lost.abort(),
    );
    try {
      await following(cluster, context, signal);
      pause = firstPause;
    } catch (error) {
      if (!(error instanceof KubeError)) logger.error({ cluster: cluster.name, error }, "a cluster cannot be kept");
      await tellAway(context, cluster.name, error);
      await wait(pause, signal);
      pause = Math.min(pause * 2, lastPause);
    } finally {
      lost.abort();
      await renewing;
    }
    await store.leases.release(lease, holder).catch(() => undefined);
  }
}

/** Resolves when the lease is lost, or could not be prolonged for as long as it lasts. */
async function renew(lease: string, holder: string, { store, limits }: Context, signal: AbortSignal): Promise<void> {
  let until = performance.now() + limits.clusterLease;
  while (!signal.aborted) {
    await wait(limits.clusterLease / 3, signal);
    if (signal.aborted) return;
    const asked = performance.now();
    const has = await store.leases.take(lease, holder, limits.clusterLease).catch(() => undefined);
    if (has === false) return;
    if (has === true) until = asked + limits.clusterLease;
    else if (performance.now() > until) return;
  }
}

async function following(cluster: Named, context: Context, signal: AbortSignal): Promise<void> {
  const { limits, logger, store } = context;
  const { name } = cluster;
  const before = (await store.kubernetes.clusters()).find((known) => known.name === name);
  await using open = await followCluster({
    ...{ name, logger, client: connect(cluster.access), syncedAt: before?.syncedAt ?? null },
    ...{ gather: limits.clusterFlush, mostObjects: limits.clusterObjects },
    write: async (changes) => takeChanges(name, changes, context),
    tally: (what, number) => {
      if (what === "listed") count.kubeLists.inc({ cluster: name }, number);
      else count.kubeChanges.inc({ cluster: name, result: what }, number);
    },
  });
  let first = true;
  let written = false;
  while (!signal.aborted) {
    // Somebody had it forgotten: all of it is read again.
    if (written && (await isForgotten(name, context))) return;
    const status = open.status();
    report(context, name, { ...status, summary: summaryOf(status) });
    // A failure to write it down is told by what waits to be written.
    written = await store.kubernetes.putCluster({ ...status, name, updatedAt: Date.now() }).then(
      () => true,
      () => written,
    );
    // Until it is complete for the first time, it is looked at often: somebody waits for it.
    if (open.isComplete) first = false;
    await wait(first ? limits.clusterFlush : limits.clusterStatus, signal);
  }
}

async function isForgotten(name: string, { store }: Context): Promise<boolean> {
  return store.kubernetes.clusters().then(
    (clusters) => clusters.every((known) => known.name !== name),
    // Not known now is not forgotten.
    () => false,
  );
}

/** What is known of it stays, with the time at which it was so. */
async function tellAway(context: Context, name: string, error: unknown): Promise<void> {
  const remedy = (error instanceof KubeError ? error.remedy : undefined) ?? "see the server's log";
  const said = { state: "failed" as const, reason: errorText(error).slice(0, 2048), remedy };
  report(context, name, { ...said, summary: "It cannot be reached; what is shown is what was known last" });
  const { kubernetes } = context.store;
  try {
    const before = (await kubernetes.clusters()).find((cluster) => cluster.name === name);
    const fresh = { name, uid: "", version: "", syncedAt: null, counters: {} };
    await kubernetes.putCluster({ ...fresh, ...before, ...said, updatedAt: Date.now() });
  } catch (failure) {
    context.logger.warn({ cluster: name, reason: errorText(failure) }, "the state of a cluster could not be written");
  }
}

function report(
  { health }: Context,
  name: string,
  { state, summary, reason, remedy }: Pick<KubeCluster, "state" | "reason" | "remedy"> & { summary: string },
): void {
  health.report({ id: `cluster:${name}`, state, summary: summary.slice(0, 1024), reason, remedy });
}

async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
