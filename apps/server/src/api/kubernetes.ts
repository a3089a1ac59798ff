import type { ClusterRow } from "@bulwark/contract";
import { toAuditEvent } from "@bulwark/kube";
import { clusterName, type KubeCluster, type NodeCoverage } from "@bulwark/model";
import { sessionOf } from "../auth/caller.ts";
import { createTokenSecret, hashSecret } from "../auth/secrets.ts";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";
import { Refusal } from "../http/problem.ts";
import type { HandlersOf } from "../http/register.ts";
import { coverageOf } from "../kubernetes/coverage.ts";
import { namedClusters } from "../kubernetes/keep.ts";
import { toldObject } from "../kubernetes/told-object.ts";
import { audited } from "./audited.ts";
import { found } from "./found.ts";

const day = 86_400_000;

export const kubernetesHandlers: HandlersOf<"kubernetes"> = {
  async listClusters({ now }, context) {
    const clusters = await clustersOf(context, now);
    const items = await Promise.all(
      clusters.map(async (cluster) => rowOf(cluster, await coverageOf(cluster.name, context, now), context)),
    );
    return { items };
  },

  async getCluster({ params, now }, context) {
    const cluster = found(
      (await clustersOf(context, now)).find(({ name }) => name === params.id),
      "cluster",
    );
    const coverage = await coverageOf(cluster.name, context, now);
    return { ...(await rowOf(cluster, coverage, context)), coverage };
  },

  async forgetCluster(call, context) {
    const { id } = call.params;
    found(
      (await context.store.kubernetes.clusters()).find(({ name }) => name === id),
      "cluster",
    );
    await context.store.kubernetes.forgetCluster(id);
    await audited(context, call, "cluster.forget", id);
  },

  async listWholeObjects(call, context) {
    const { params, query } = call;
    const { kind, cursor, limit } = query;
    await toldBy(params.id, context, call.now);
    const page = await context.store.kubernetes.manifests(params.id, kind, { cursor, limit });
    // Once for all pages. Environments and arguments may say more than a list of names.
    if (cursor === undefined) await audited(context, call, "cluster.read", params.id, { kind });
    const items = page.items.map((row) => ({
      ...{ namespace: row.namespace, name: row.name },
      object: (toldObject(row) as Record<string, unknown> | undefined) ?? null,
    }));
    return { items, next: page.next };
  },

  async createAuditToken(call, context) {
    sessionOf(call.caller);
    const { params, body, now } = call;
    const cluster = params.id;
    if (!clusterName.safeParse(cluster).success) throw new Refusal("invalid", "this is no name of a cluster");
    const { id, text } = createTokenSecret();
    const expiresAt = now + body.days * day;
    const names = { name: `audit log of ${cluster}`, scope: "audit" as const, node: cluster };
    const times = { createdAt: now, expiresAt, lastUsedAt: null };
    await context.store.accounts.addToken({ id, hash: hashSecret(text), ...names, ...times });
    await audited(context, call, "audit-token.create", cluster, { id, days: body.days });
    return { secret: text, expiresAt, kubeconfig: webhookConfig(context, text) };
  },

  async listKubeObjects({ query: { cursor, limit, owner, ...filter } }, { store }) {
    const whose = owner && { cluster: owner.cluster, owner: owner.uid };
    return store.kubernetes.list({ ...filter, ...whose }, { cursor, limit });
  },

  async getKubeObject({ params }, { store }) {
    return found(await store.kubernetes.get(params.cluster, params.uid), "object");
  },

  async ingestAudit({ body, caller, now }, context) {
    if (caller.kind !== "audit") throw new Refusal("forbidden", "only an API server's token may send its audit log");
    const { cluster } = caller;
    await context.disk.check();
    const read = body.items.flatMap((item) => {
      const event = toAuditEvent(cluster, "server", item);
      return event === undefined ? [] : [{ event, item }];
    });
    const unreadable = body.items.length - read.length;
    const { alerts, repeats } = await context.auditAlerts.raise(read, now);
    const events = read.map(({ event }) => event);
    const { stored, known } = await context.store.events.append(events, now);
    await Promise.all(alerts.map((alert) => context.live.publish("alert", alert)));
    context.repeatNews.came(repeats);
    for (const [result, number] of Object.entries({ stored, known, unreadable })) {
      if (number > 0) count.audit.inc({ cluster, result }, number);
    }
    // An API server that is refused sends the same again; what cannot be read is said, and the rest is kept.
    context.health.report({
      id: `audit:${cluster}`,
      state: unreadable > 0 ? "degraded" : "ok",
      summary: `The API server of ${cluster} sends its audit log`,
      reason: unreadable > 0 ? `${unreadable} of ${body.items.length} records of the last batch could not be read` : "",
      remedy: unreadable > 0 ? "let the API server send audit.k8s.io/v1" : "",
    });
    return { stored, known, unreadable };
  },
};

/** Refuses unless a collector has told all of the cluster, and tells of it still. */
async function toldBy(name: string, context: Context, now: number): Promise<void> {
  if (namedClusters(context).some((cluster) => cluster.name === name)) {
    throw new Refusal("conflict", `${name}: this server asks its API server, no collector tells of it`, {
      remedy: "read it by a kubeconfig: --cluster",
    });
  }
  const cluster = found(
    (await context.store.kubernetes.clusters()).find((one) => one.name === name),
    "cluster",
  );
  const { state, reason, remedy } = doubt(cluster, context, now);
  if (cluster.syncedAt === null) {
    throw new Refusal("unavailable", `${name}: not all of it has been told yet`, { retryAfter: 5 });
  }
  if (state === "failed") throw new Refusal("unavailable", `${name}: ${reason}`, { remedy });
}

/** Those that are followed, and those from which only agents have joined. */
async function clustersOf(context: Context, now: number): Promise<KubeCluster[]> {
  const { store } = context;
  const known = await store.kubernetes.clusters();
  const names = new Set(known.map(({ name }) => name));
  const followed = namedClusters(context).map(({ name }) => name);
  // Agents of machines that are in no cluster are of the cluster `default` by default.
  const joined = (await store.agents.list(now)).map(({ cluster }) => cluster).filter((name) => name !== "default");
  const others = [...new Set([...followed, ...joined])].filter((name) => !names.has(name));
  const blank = { uid: "", version: "", syncedAt: null, counters: {}, updatedAt: now };
  const unknown = others.map((name): KubeCluster => {
    return followed.includes(name)
      ? { ...blank, name, state: "degraded", reason: "it has not been reached yet", remedy: "" }
      : {
          ...blank,
          name,
          state: "off",
          reason: "agents have joined from it; its objects are not followed",
          remedy: "let its collector run there (bulwark cluster), or name it under server.kubernetes.clusters",
        };
  });
  return [...known.map((cluster) => doubt(cluster, context, now)), ...unknown].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

/** Who tells of a cluster does so every few seconds: what is old is not believed any more. */
function doubt(cluster: KubeCluster, { limits }: Context, now: number): KubeCluster {
  const silent = now - cluster.updatedAt;
  if (cluster.state === "failed" || silent <= limits.silence) return cluster;
  return {
    ...cluster,
    state: "failed",
    reason: `nothing has been heard of it for ${Math.round(silent / 60_000)} minutes`,
    remedy: "see that its collector (bulwark cluster) runs and reaches this server, or that the server still names it",
  };
}

async function rowOf(cluster: KubeCluster, coverage: NodeCoverage[], { store }: Context): Promise<ClusterRow> {
  const covered = coverage.filter(({ state }) => state === "covered" || state === "version").length;
  const objects = await store.kubernetes.count(cluster.name);
  return { ...cluster, objects, nodes: { covered, total: coverage.length } };
}

/** For `--audit-webhook-config-file`. Source: kubernetes.io/docs/tasks/debug/debug-cluster/audit */
function webhookConfig({ config }: Context, token: string): string {
  const base = config.server.url?.replace(/\/$/, "") ?? "https://BULWARK";
  return [
    "apiVersion: v1",
    "kind: Config",
    "clusters:",
    `  - { name: bulwark, cluster: { server: "${base}/api/kubernetes/v1/audit" } }`,
    "users:",
    `  - { name: api-server, user: { token: "${token}" } }`,
    "contexts:",
    "  - { name: bulwark, context: { cluster: bulwark, user: api-server } }",
    "current-context: bulwark",
    "",
  ].join("\n");
}
