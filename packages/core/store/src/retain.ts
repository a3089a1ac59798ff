import { sql, type RawBuilder } from "kysely";
import type { Engine } from "./engine.ts";
import { blockSize } from "./repositories/event-blocks.ts";
import type { RetentionLimits, RetentionReport } from "./store.ts";

/** Rows in one transaction: a writer never waits longer for us than these take. */
const step = 2000;
/** Blocks in one transaction: their events are about as many rows. */
const blocksAtOnce = 32;
const day = 86_400_000;

/** Deletes in small steps what the limits do not allow, and gives the space back. */
export async function retain(engine: Engine, limits: RetentionLimits, now: number): Promise<RetentionReport> {
  const report: RetentionReport = { events: 0, alerts: 0, audit: 0, containers: 0, images: 0 };
  const before = (days: number): number => now - days * day;

  if (limits.eventDays !== undefined) {
    const time = before(limits.eventDays);
    await repeat(blocksAtOnce, async () => {
      const { blocks, events } = await deleteBlocks(engine, { before: time });
      report.events += events;
      return blocks;
    });
    await drain(engine, decisionsBefore(time));
  }
  await drain(engine, decisionsMost);
  if (limits.alertDays !== undefined) report.alerts += await drain(engine, alertsBefore(before(limits.alertDays)));
  if (limits.alertDays !== undefined) await drain(engine, actionsBefore(before(limits.alertDays)));
  if (limits.auditDays !== undefined) report.audit += await drain(engine, auditBefore(before(limits.auditDays)));
  if (limits.assetDays !== undefined) {
    report.containers += await drain(engine, containersBefore(before(limits.assetDays)));
    report.images += await drain(engine, imagesBefore(before(limits.assetDays)));
    await drain(engine, witnessesBefore(before(limits.assetDays)));
    await drain(engine, orphanContents);
    await drain(engine, scansBefore(before(limits.assetDays)));
    await drain(engine, orphanFindings);
    await drain(engine, orphanDetails);
    await drain(engine, kubeGoneBefore(before(limits.assetDays)));
    await drain(engine, benchmarksBefore(before(limits.assetDays)));
    await drain(engine, orphanStates);
    await drain(engine, benchmarkDaysBefore(before(limits.assetDays)));
    await drain(engine, exceptionsBefore(before(limits.assetDays)));
  }
  if (limits.flowDays !== undefined) {
    const time = before(limits.flowDays);
    await drain(engine, flowsBefore(time));
    await drain(engine, watchesBefore(time));
    await drain(engine, flowNodesBefore(time));
  }
  await drain(engine, flowsMost);
  await drain(engine, orphanEndsBefore(now - day));
  if (limits.assetDays !== undefined) await drain(engine, pairsBefore(before(limits.assetDays)));
  await drain(engine, pairsMost);
  if (limits.auditDays !== undefined) await drain(engine, documentsBefore(before(limits.auditDays)));
  await drain(engine, kubeGoneMost);
  await drain(engine, kubeUnnamed);
  await drain(engine, kubeOrphanLabels);
  await drain(engine, auditSeenBefore(now - sendsAgainFor));
  if (limits.bytes !== undefined) await retainBytes(engine, limits.bytes, report);
  if (Object.values(report).some((count) => count > 0)) await shrinkAll(engine);
  return report;
}

/**
 * The oldest blocks with all of their events. An event goes with its block: it may stay as long as the latest of the
 * at most 64 events that came with it.
 */
async function deleteBlocks(engine: Engine, limit: { before?: number }): Promise<{ blocks: number; events: number }> {
  return engine.write.transaction().execute(async (tx) => {
    let oldest = tx.selectFrom("event_blocks").select(["id", "events"]).limit(blocksAtOnce);
    if (limit.before === undefined) oldest = oldest.orderBy("id");
    else oldest = oldest.where("max_time", "<", limit.before).orderBy("max_time");
    const blocks = await oldest.execute();
    for (const { id } of blocks) {
      await tx
        .deleteFrom("events")
        .where("id", ">=", id * blockSize)
        .where("id", "<", (id + 1) * blockSize)
        .execute();
    }
    if (blocks.length > 0) {
      const ids = blocks.map(({ id }) => id);
      await tx.deleteFrom("event_blocks").where("id", "in", ids).execute();
    }
    return { blocks: blocks.length, events: blocks.reduce((sum, { events }) => sum + events, 0) };
  });
}

type Delete = RawBuilder<unknown>;
const max = sql.lit(step);

const alertsBefore = (time: number): Delete =>
  sql`delete from alerts where id in (select id from alerts where time < ${time} order by time limit ${max})`;
const actionsBefore = (time: number): Delete =>
  sql`delete from actions where id in (select id from actions where created_at < ${time} order by created_at limit ${max})`;
const auditBefore = (time: number): Delete =>
  // By number and only from the front: the chain has no hole, even where a clock once went back. The last entry stays,
  // because the next one follows from it.
  sql`delete from audit where id in (select id from audit where id <
    coalesce((select min(id) from audit where time >= ${time}), (select max(id) from audit)) order by id limit ${max})`;
const containersBefore = (time: number): Delete =>
  sql`delete from containers where (node, id) in
    (select node, id from containers where running = 0 and seen_at < ${time} limit ${max})`;
const imagesBefore = (time: number): Delete =>
  sql`delete from images where key in (select key from images where scanned_at < ${time}
    and not exists (select 1 from containers where image_key = images.key)
    and not exists (select 1 from registry_images where registry_images.key = images.key) limit ${max})`;
// A node that is gone has no voice for ever. Running images are told of again every day.
const witnessesBefore = (time: number): Delete =>
  sql`delete from image_witnesses where (key, node) in (select key, node from image_witnesses where seen_at < ${time}
    or not exists (select 1 from images where images.key = image_witnesses.key) limit ${max})`;
const scansBefore = (time: number): Delete =>
  sql`delete from scans where (place, key) in (select place, key from scans where told_at < ${time} limit ${max})`;
const orphanContents: Delete = sql`delete from image_contents where (key, hash) in (select key, hash
    from image_contents as content where not exists (select 1 from image_witnesses as witness
    where witness.key = content.key and witness.hash = content.hash) limit ${max})`;
const orphanFindings: Delete = sql`delete from findings where fingerprint in (select fingerprint from findings
    where not exists (select 1 from images where key = findings.image_key) limit ${max})`;
const orphanDetails: Delete = sql`delete from finding_details where fingerprint in (select fingerprint
    from finding_details as details where not exists
    (select 1 from findings where findings.fingerprint = details.fingerprint) limit ${max})`;
const oldestClosedAlerts: Delete = sql`delete from alerts where id in
    (select id from alerts where state = 'closed' order by time limit ${max})`;

/** Objects of clusters that have gone, at most: jobs can make more of them in a day than anybody looks at. */
const kubeGoneKept = 250_000;
/** An API server gives a batch up after minutes. */
const sendsAgainFor = 900_000;
const kubeGoneBefore = (time: number): Delete =>
  sql`delete from kube_objects where (cluster, uid) in
    (select cluster, uid from kube_objects where deleted_at > 0 and deleted_at < ${time} limit ${max})`;
const kubeGoneMost: Delete = sql`delete from kube_objects where (cluster, uid) in (select cluster, uid from kube_objects
    where deleted_at > 0 order by deleted_at desc, uid limit ${max} offset ${sql.lit(kubeGoneKept)})`;
const kubeUnnamed: Delete = sql`delete from kube_objects where (cluster, uid) in (select cluster, uid
    from kube_objects as owner where by_reference = 1 and not exists (select 1 from kube_objects as child
    where child.cluster = owner.cluster and child.owner_uid = owner.uid) limit ${max})`;
const kubeOrphanLabels: Delete = sql`delete from kube_labels where (cluster, uid, key) in (select cluster, uid, key
    from kube_labels as label where not exists (select 1 from kube_objects
    where kube_objects.cluster = label.cluster and kube_objects.uid = label.uid) limit ${max})`;
const benchmarksBefore = (time: number): Delete =>
  sql`delete from benchmark_reports where (kind, name) in
    (select kind, name from benchmark_reports where collected_at < ${time} limit ${max})`;
const orphanStates: Delete = sql`delete from benchmark_states where (kind, name, check_id) in (select kind, name, check_id
    from benchmark_states as said where not exists (select 1 from benchmark_reports as report
    where report.kind = said.kind and report.name = said.name) limit ${max})`;
const benchmarkDaysBefore = (time: number): Delete =>
  sql`delete from benchmark_days where (kind, name, day) in
    (select kind, name, day from benchmark_days where day < ${Math.floor(time / day)} limit ${max})`;
const exceptionsBefore = (time: number): Delete =>
  sql`delete from benchmark_exceptions where id in
    (select id from benchmark_exceptions where expires_at < ${time} limit ${max})`;
const auditSeenBefore = (time: number): Delete =>
  sql`delete from audit_seen where id in (select id from audit_seen where seen_at < ${time} limit ${max})`;

/** Hours of edges, at most, and pairs whose first time is known. */
const flowsKept = 5_000_000;
const pairsKept = 2_000_000;
const flowsBefore = (time: number): Delete =>
  sql`delete from flow_hours where id in (select id from flow_hours where hour < ${time} order by hour limit ${max})`;
const flowsMost: Delete = sql`delete from flow_hours where id in (select id from flow_hours
    order by hour desc, id desc limit ${max} offset ${sql.lit(flowsKept)})`;
const watchesBefore = (time: number): Delete =>
  sql`delete from flow_watches where (node, since) in
    (select node, since from flow_watches where until < ${time} limit ${max})`;
const flowNodesBefore = (time: number): Delete =>
  sql`delete from flow_nodes where (node, hour) in
    (select node, hour from flow_nodes where hour < ${time} limit ${max})`;
const orphanEndsBefore = (time: number): Delete =>
  sql`delete from flow_ends where id in (select id from flow_ends as one where seen_at < ${time}
    and not exists (select 1 from flow_hours where flow_hours.client = one.id)
    and not exists (select 1 from flow_hours where flow_hours.server = one.id) limit ${max})`;
const pairsBefore = (time: number): Delete =>
  sql`delete from flow_pairs where id in (select id from flow_pairs where last_seen < ${time} limit ${max})`;
const pairsMost: Delete = sql`delete from flow_pairs where id in (select id from flow_pairs
    order by last_seen desc, id desc limit ${max} offset ${sql.lit(pairsKept)})`;
const documentsBefore = (time: number): Delete =>
  sql`delete from network_documents where id in (select id from network_documents
    where created_at < ${time} and state in ('undone', 'confirmed', 'handed-out') limit ${max})`;

/** Decisions of admission, at most: a cluster makes some hundred thousand of them a day. */
const decisionsKept = 500_000;
const decisionsBefore = (time: number): Delete =>
  sql`delete from admission_decisions where id in (select id from admission_decisions where time < ${time} limit ${max})`;
const decisionsMost: Delete = sql`delete from admission_decisions where id in (select id from admission_decisions
    order by time desc, id desc limit ${max} offset ${sql.lit(decisionsKept)})`;

const oldestDecisions: Delete = sql`delete from admission_decisions where id in
    (select id from admission_decisions order by time limit ${max})`;

async function drain(engine: Engine, statement: Delete): Promise<number> {
  let total = 0;
  await repeat(step, async () => {
    const deleted = await once(engine, statement);
    total += deleted;
    return deleted;
  });
  return total;
}

/** Until a step is not a full one. Each is a transaction of its own; whoever waits to write is served in between. */
async function repeat(full: number, deleteStep: () => Promise<number>): Promise<void> {
  while ((await deleteStep()) === full) await new Promise((resolve) => setImmediate(resolve));
}

async function once(engine: Engine, statement: Delete): Promise<number> {
  return Number((await statement.execute(engine.write)).numAffectedRows ?? 0n);
}

async function retainBytes(engine: Engine, bytes: number, report: RetentionReport): Promise<void> {
  while ((await engine.used()) > bytes) {
    const { blocks, events } = await deleteBlocks(engine, {});
    report.events += events;
    if (blocks > 0) continue;
    const alerts = await once(engine, oldestClosedAlerts);
    report.alerts += alerts;
    if ((await once(engine, oldestDecisions)) > 0 && engine.kind === "sqlite") continue;
    // PostgreSQL keeps the space of alerts in the file, so that deleting more would not show: one step a run.
    if (alerts < step || engine.kind === "postgresql") return;
  }
}

async function shrinkAll(engine: Engine): Promise<void> {
  while (await engine.shrink()) await new Promise((resolve) => setImmediate(resolve));
}
