import { sql, type RawBuilder } from "kysely";
import type { Engine } from "./engine.ts";
import type { RetentionLimits, RetentionReport } from "./store.ts";

/** Rows in one transaction: a writer never waits longer for us than these take. */
const step = 2000;
const day = 86_400_000;

/** Deletes in small steps what the limits do not allow, and gives the space back. */
export async function retain(engine: Engine, limits: RetentionLimits, now: number): Promise<RetentionReport> {
  const report: RetentionReport = { events: 0, alerts: 0, audit: 0, containers: 0, images: 0 };
  const before = (days: number): number => now - days * day;

  if (limits.eventDays !== undefined) report.events += await drain(engine, eventsBefore(before(limits.eventDays)));
  if (limits.alertDays !== undefined) report.alerts += await drain(engine, alertsBefore(before(limits.alertDays)));
  if (limits.auditDays !== undefined) report.audit += await drain(engine, auditBefore(before(limits.auditDays)));
  if (limits.assetDays !== undefined) {
    report.containers += await drain(engine, containersBefore(before(limits.assetDays)));
    report.images += await drain(engine, imagesBefore(before(limits.assetDays)));
    await drain(engine, orphanFindings);
  }
  if (limits.bytes !== undefined) await retainBytes(engine, limits.bytes, report);
  if (Object.values(report).some((count) => count > 0)) await shrinkAll(engine);
  return report;
}

type Delete = RawBuilder<unknown>;
const max = sql.lit(step);

const eventsBefore = (time: number): Delete =>
  sql`delete from events where id in (select id from events where time < ${time} order by time limit ${max})`;
const alertsBefore = (time: number): Delete =>
  sql`delete from alerts where id in (select id from alerts where time < ${time} order by time limit ${max})`;
const auditBefore = (time: number): Delete =>
  sql`delete from audit where id in (select id from audit where time < ${time} order by id limit ${max})`;
const containersBefore = (time: number): Delete =>
  sql`delete from containers where (node, id) in
    (select node, id from containers where running = 0 and seen_at < ${time} limit ${max})`;
const imagesBefore = (time: number): Delete =>
  sql`delete from images where key in (select key from images where scanned_at < ${time}
    and not exists (select 1 from containers where image_key = images.key) limit ${max})`;
const orphanFindings: Delete = sql`delete from findings where fingerprint in (select fingerprint from findings
    where not exists (select 1 from images where key = findings.image_key) limit ${max})`;
const oldestEvents: Delete = sql`delete from events where id in (select id from events order by time limit ${max})`;
const oldestClosedAlerts: Delete = sql`delete from alerts where id in (select id from alerts where state = 'closed' order by time limit ${max})`;

async function drain(engine: Engine, statement: Delete): Promise<number> {
  let total = 0;
  for (;;) {
    const deleted = await once(engine, statement);
    total += deleted;
    if (deleted < step) return total;
  }
}

async function once(engine: Engine, statement: Delete): Promise<number> {
  return Number((await statement.execute(engine.write)).numAffectedRows ?? 0n);
}

async function retainBytes(engine: Engine, bytes: number, report: RetentionReport): Promise<void> {
  while ((await used(engine)) > bytes) {
    const events = await once(engine, oldestEvents);
    const alerts = events > 0 ? 0 : await once(engine, oldestClosedAlerts);
    report.events += events;
    report.alerts += alerts;
    if (events + alerts === 0) return;
    await engine.shrink();
    // PostgreSQL keeps the file and reuses its space: what is free in it shows only after a vacuum, so one step a run.
    if (engine.kind === "postgresql") return;
  }
}

/** Bytes that hold something: free pages inside the SQLite file are not counted. */
async function used(engine: Engine): Promise<number> {
  const { bytes } = await engine.size();
  if (engine.kind === "postgresql") return bytes;
  const { rows } = await sql<{ free: number }>`select freelist_count * page_size as free
    from pragma_freelist_count, pragma_page_size`.execute(engine.write);
  return bytes - (rows[0]?.free ?? 0);
}

/** SQLite gives a bounded number of free pages back at a time. */
async function shrinkAll(engine: Engine): Promise<void> {
  let before = Number.POSITIVE_INFINITY;
  for (;;) {
    await engine.shrink();
    const { bytes } = await engine.size();
    if (bytes >= before) return;
    before = bytes;
  }
}
