import {
  collectorOf,
  errorText,
  splitNodeId,
  type AgentRecord,
  type Batch,
  type Component,
  type KubeCluster,
  type KubeStatus,
} from "@bulwark/model";
import { StoreError, type IngestResult } from "@bulwark/store";
import { ownBatch } from "../agents/own-batch.ts";
import { settingsFor } from "../agents/quarantines.ts";
import { withJudgedVersions } from "../benchmarks/versions.ts";
import type { Caller } from "../auth/caller.ts";
import type { Context } from "../context.ts";
import { reportFull } from "../health/own.ts";
import { count } from "../http/figures.ts";
import { Refusal } from "../http/problem.ts";
import type { HandlersOf } from "../http/register.ts";
import { announceImage } from "../jobs/announce-image.ts";
import { audited } from "./audited.ts";
import { withKnownRequest } from "../kubernetes/audit-alerts.ts";
import { leaseOf, namedClusters } from "../kubernetes/keep.ts";
import { summaryOf, takeChanges } from "../kubernetes/take.ts";

export const agentHandlers: HandlersOf<"agent"> = {
  async ingest({ body, caller, now }, context) {
    if (caller.kind !== "agent") throw new Refusal("forbidden", "only an agent's token may send records");
    const own = ownBatch(body, caller.node);
    if (!own) {
      count.batches.inc({ result: "refused" });
      throw new Refusal("forbidden", `this agent is of the node ${caller.node}; the batch speaks for another`);
    }
    const result = await write(own, context, now);
    await announce(result, caller, now, context);
    return { stored: result.stored, settings: await context.agentSettings.revision() };
  },

  async putCluster({ body, caller, now }, context) {
    const { session, changes, status, leaving = false } = body;
    const cluster = clusterFor(caller, context);
    if (leaving) {
      await context.store.leases.release(leaseOf(cluster), session);
      return { changed: 0, known: true };
    }
    if (!changes.every((change) => change.type !== "put" || change.object.cluster === cluster)) {
      throw new Refusal("forbidden", `this certificate is of the cluster ${cluster}; the changes are of another`);
    }
    await context.disk.check();
    if (!(await context.store.leases.take(leaseOf(cluster), session, context.limits.clusterLease))) {
      throw new Refusal("conflict", `another collector tells of the cluster ${cluster}`, { remedy: "end one of them" });
    }
    const before = (await context.store.kubernetes.clusters()).find(({ name }) => name === cluster);
    const changed = await takeChanges(cluster, changes, context);
    if (status) await takeStatus(status, before, cluster, context, now);
    return { changed, known: before !== undefined };
  },

  async takeOrders({ body, caller, now }, context) {
    if (caller.kind !== "agent") throw new Refusal("forbidden", "only an agent takes orders");
    const { actions } = context.store;
    let orders = await actions.orders(caller.node, body.taken, now);
    if (orders.length === 0) {
      await context.orderBell.wait(caller.node, context.closing);
      orders = await actions.orders(caller.node, [], Date.now());
    }
    // An agent need not know which cluster its node is of.
    const { name } = splitNodeId(caller.node);
    const settings = await context.agentSettings.revision();
    return { orders: orders.map((order) => ({ ...order, node: name })), settings };
  },

  async readAgentSettings({ caller, now }, { agentSettings }) {
    const settings = await agentSettings.current();
    // What is not an agent's question is of no cluster.
    return caller.kind === "agent" ? settingsFor(settings, splitNodeId(caller.node).cluster, now) : settings;
  },
};

/** Whose objects the caller may tell of. The agent of a node may not, nor may anybody where the server reads them itself. */
function clusterFor(caller: Caller, context: Context): string {
  const certificate = caller.kind === "agent" ? caller.certificate : null;
  if (!certificate || certificate.node !== collectorOf(certificate.cluster)) {
    throw new Refusal("forbidden", "only a cluster's collector may tell of its objects");
  }
  const { cluster } = certificate;
  if (namedClusters(context).some(({ name }) => name === cluster)) {
    throw new Refusal("conflict", `this server reads the cluster ${cluster} itself`, {
      remedy: "join the cluster under another name, or end its collector",
    });
  }
  return cluster;
}

async function takeStatus(
  status: KubeStatus,
  before: KubeCluster | undefined,
  cluster: string,
  { store, live }: Context,
  now: number,
): Promise<void> {
  const syncedAt = status.syncedAt ?? before?.syncedAt ?? null;
  await store.kubernetes.putCluster({ ...status, syncedAt, name: cluster, updatedAt: now });
  const { state, reason, remedy, counters } = status;
  const summary = summaryOf(status).slice(0, 1024);
  const told = { id: "inventory", node: collectorOf(cluster), state, summary, reason, remedy, counters };
  const component: Component = { ...told, updatedAt: now };
  await store.health.put([component]);
  if (before?.state !== state || before.reason !== reason) await live.publish("health", component);
}

async function write(batch: Batch, context: Context, now: number): Promise<IngestResult> {
  try {
    await context.disk.check();
    // A spool belongs to its node: no other node can move its position on by using its id.
    const spool = `${batch.node}/${batch.spool}`;
    const judged = await withJudgedVersions(await withKnownRequests(batch.records, context), context);
    const records = await context.inventories.complete(judged, now);
    const result = await context.store.ingest.write({ ...batch, spool, records }, now);
    count.batches.inc({ result: "stored" });
    for (const record of batch.records) count.records.inc({ type: record.type });
    return result;
  } catch (error) {
    const full = (error instanceof Refusal || error instanceof StoreError) && error.code === "full";
    const foreign = error instanceof StoreError && error.code === "foreign";
    if (full) reportFull(context, errorText(error));
    if (foreign)
      context.logger.warn({ node: batch.node, reason: errorText(error) }, "an agent speaks for another node");
    count.batches.inc({ result: full ? "full" : foreign ? "refused" : "failed" });
    throw error;
  }
}

/** An agent reads the audit log of its API server, but knows no other node's objects. */
async function withKnownRequests(records: AgentRecord[], { store }: Context): Promise<AgentRecord[]> {
  if (!records.some((record) => record.type === "alert" && record.alert.request)) return records;
  return Promise.all(
    records.map(async (record) =>
      record.type === "alert" ? { type: "alert", alert: await withKnownRequest(record.alert, store) } : record,
    ),
  );
}

/** Into the audit log: who did what, and what became of it. */
async function auditActions(result: IngestResult, caller: Caller, now: number, context: Context): Promise<void> {
  for (const { id, action, state, container, by, text } of result.actions) {
    const detail = { id, kind: action.kind, by, text };
    await audited(context, { caller, now }, `action.${state}`, container, detail);
  }
}

/** The batch is on disk: tell open pages, alerts first, and have new images matched. */
async function announce(result: IngestResult, caller: Caller, now: number, context: Context): Promise<void> {
  const { live, flowNews, repeatNews } = context;
  flowNews.came(result.flows);
  await auditActions(result, caller, now, context);
  await Promise.all([
    ...result.alerts.map((alert) => live.publish("alert", alert)),
    ...result.containers.map((container) => live.publish("container", container)),
    ...result.components.map((component) => live.publish("health", component)),
    ...result.actions.map((record) => live.publish("action", record)),
    ...result.images.map((report) => announceImage(report, context)),
  ]);
  repeatNews.came(result.repeats);
}
