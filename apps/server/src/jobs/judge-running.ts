import { errorText } from "@bulwark/model";
import { hashOf, surveyCluster, type SurveyWish } from "../admission/survey.ts";
import { sparedNamespaces } from "../admission/webhook.ts";
import type { Definition } from "../admission/definitions.ts";
import type { Context } from "../context.ts";
import { knownClusters, openSource, type KnownCluster } from "../kubernetes/sources.ts";
import type { TimedJob } from "./job.ts";

/** A cluster that could not be read is not tried again before. */
const pauseAfterFailure = 60_000;

/**
 * Holds what runs in every cluster that this server reads, or that a collector tells of, against all policies that it
 * knows, in force or not: in turn, and when a policy has changed.
 */
export function judgeRunning(): TimedJob {
  const failed = new Map<string, number>();
  return {
    name: "judge-running",
    once: true,
    every: (limits) => limits.surveyPoll,
    first: (limits) => limits.surveyFirst,

    async run(context, signal) {
      const clusters = await knownClusters(context);
      await forgetOthers(clusters, context);
      for (const cluster of clusters) {
        if (signal.aborted) return;
        if (Date.now() - (failed.get(cluster.name) ?? 0) < pauseAfterFailure) continue;
        try {
          await look(cluster, context, signal);
          failed.delete(cluster.name);
        } catch (error) {
          if (signal.aborted) return;
          failed.set(cluster.name, Date.now());
          tellFailure(cluster, error, context);
        }
      }
    },
  };
}

/** What is known of a cluster that nobody reads any more would stay as it was for ever. */
async function forgetOthers(clusters: readonly KnownCluster[], { store }: Context): Promise<void> {
  const named = new Set(clusters.map(({ name }) => name));
  for (const { cluster } of await store.runningPolicies.runs()) {
    if (!named.has(cluster)) await store.runningPolicies.forget(cluster);
  }
}

async function look(cluster: KnownCluster, context: Context, signal: AbortSignal): Promise<void> {
  const { store, limits, health } = context;
  const { name } = cluster;
  const wish = await wishFor(cluster, context, signal);
  const hash = hashOf(wish);
  const before = (await store.runningPolicies.runs()).find((run) => run.cluster === name);
  const judgedAt = Date.now();
  if (before?.hash === hash && judgedAt - before.judgedAt < limits.surveyEvery) return;
  using open = await openSource(cluster, context);
  const { objects, durationMs, problems, results } = await surveyCluster({ ...wish, open });
  const mine = new Set(wish.definitions.map((one) => one.name));
  const run = { cluster: name, judgedAt, durationMs, objects, hash, problems: [...problems] };
  await store.runningPolicies.put(
    run,
    results.filter(({ policy }) => mine.has(policy)).map((one) => ({ ...one, violations: [...one.violations] })),
  );
  const dropped = results.reduce((sum, one) => sum + one.dropped, 0);
  const lost = dropped === 0 ? [] : [`${dropped} findings are not listed, for their policies find too many`];
  const reasons = [...problems, ...lost];
  health.report({
    id: `policies:${name}`,
    state: reasons.length === 0 ? "ok" : "degraded",
    summary: `${objects.toLocaleString("en")} objects that run in ${name} were held against ${results.length} policies`,
    reason: reasons.join("; ").slice(0, 2048),
    remedy: reasons.length === 0 ? "" : remedyFor(cluster),
    counters: { objects, dropped, unread: problems.length },
  });
}

function remedyFor({ access }: KnownCluster): string {
  return access
    ? "let the server's account list what is named; what is not read is not judged"
    : "what its collector does not tell of is not judged: a server that reads the cluster itself reads more";
}

/** All that the server knows, and what the cluster has itself. */
async function wishFor(
  cluster: KnownCluster,
  context: Context,
  signal: AbortSignal,
): Promise<Omit<SurveyWish, "open">> {
  const own = await context.policies.definitions();
  const view = context.webhook?.clusters.find(({ name }) => name === cluster.name);
  const others = (view?.definitions() ?? []).filter(({ name }) => !own.has(name));
  return { ...wishOf([...own.values(), ...others], context), signal };
}

/** Of these policies, as the webhook asks them. */
export function wishOf(
  definitions: readonly Definition[],
  { policies, config }: Context,
): Omit<SurveyWish, "open" | "signal"> {
  const spared = sparedNamespaces(config);
  return {
    definitions: definitions.filter(({ kind }) => kind !== "MutatingAdmissionPolicy"),
    excludedNamespaces: ({ name }) => [...spared, ...(policies.setting(name)?.excludedNamespaces ?? [])],
    images: policies.images,
  };
}

function tellFailure({ name, access }: KnownCluster, error: unknown, { health, logger }: Context): void {
  const reason = errorText(error).slice(0, 2048);
  logger.warn({ cluster: name, reason }, "what runs could not be held against policies");
  health.report({
    id: `policies:${name}`,
    state: "failed",
    summary: `What runs in ${name} could not be held against policies; what is shown is of the look before`,
    reason,
    remedy: access
      ? "let the server reach the cluster, with an account that may list namespaces and workloads"
      : "let its collector (bulwark cluster) run, in the version of this server",
  });
}
