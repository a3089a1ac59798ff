import {
  severities,
  severityRank,
  type Alert,
  type AlertRepeats,
  type AlertState,
  type RepeatsOf,
  type Severity,
  type StoredAlert,
  type ToldRepeats,
} from "@bulwark/model";
import { sql } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Columns, Engine, Value } from "../engine.ts";
import type { Tx } from "../schema.ts";
import type { AlertRepository } from "../store.ts";
import { withoutNul } from "../text.ts";
import { notCounted, takeAuditIds } from "./audit-events.ts";
import { podsOf } from "./kubernetes-members.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";
import { ruleTextOf } from "./rule-texts.ts";

/** As for events: a search by text looks at this many alerts a page. */
const searchWindow = 20_000;
const hour = 3_600_000;
const columns = ["time", "id", "state", "comment", "received_at", "repeats", "last_time", "body"] as const;

interface Row {
  time: number;
  id: string;
  state: string;
  comment: string;
  received_at: number;
  repeats: number;
  last_time: number;
  body: string;
}

export function alertRepository(engine: Engine): AlertRepository {
  const { read, write } = engine;
  async function get(id: string): Promise<StoredAlert | undefined> {
    const row = await write.selectFrom("alerts").select(columns).where("id", "=", id).executeTakeFirst();
    return row && toAlert(row);
  }
  return {
    get,
    ruleText: async (node, rule) => ruleTextOf(engine, node, rule),
    async list({ severity, state, rule, container, object, q, since, until }, { cursor, limit }) {
      let query = read.selectFrom("alerts").select(columns).orderBy("time", "desc").orderBy("id", "desc");
      if (severity) query = query.where("severity", "in", severity.map(severityRank));
      if (state) query = query.where("state", "=", state);
      if (rule) query = query.where("rule", "=", rule);
      if (container) query = query.where("container", "=", container);
      if (object) query = query.where("pod_uid", "in", podsOf(object));
      if (since !== undefined) query = query.where("time", ">=", since);
      if (until !== undefined) query = query.where("time", "<=", until);
      if (cursor)
        query = query.where(rowAfter(["time", "id"], "<", decodeCursor("alerts", cursor, ["number", "string"])));
      const toCursor = (row: Pick<Row, "time" | "id">): string => encodeCursor("alerts", [row.time, row.id]);
      if (!q) return pageOf(await query.limit(limit + 1).execute(), limit, toAlert, toCursor);

      // Where the window ends is settled first: alerts that come in the meantime do not move it.
      const end = await query
        .clearSelect()
        .select(["time", "id"])
        .offset(searchWindow - 1)
        .limit(1)
        .executeTakeFirst();
      if (end) query = query.where(rowAfter(["time", "id"], ">=", [end.time, end.id]));
      query = query.where(contains("search", q)).limit(limit + 1);
      const page = pageOf(await query.execute(), limit, toAlert, toCursor);
      return { items: page.items, next: page.next ?? (end ? toCursor(end) : null) };
    },
    async update(id, { state, comment }) {
      const change = comment === undefined ? { state } : { state, comment };
      const { numUpdatedRows } = await write.updateTable("alerts").set(change).where("id", "=", id).executeTakeFirst();
      return numUpdatedRows === 0n ? undefined : get(id);
    },
    async append(alerts, repeats, now) {
      return write.transaction().execute(async (tx) => {
        // First, as where agents' batches are written: it waits for them, and they for it.
        const seen = await takeAuditIds(engine, tx, { events: [], repeats }, now);
        const stored = await insertAlerts(engine, tx, alerts, now);
        return { alerts: stored, repeats: await addRepeats(tx, notCounted(repeats, seen)) };
      });
    },
    async countOpen() {
      const rows = await read
        .selectFrom("alerts")
        .select(({ fn }) => ["severity", fn.countAll<number>().as("count")])
        .where("state", "=", "open")
        .groupBy("severity")
        .execute();
      return bySeverity(rows);
    },
    async countByHour(hours, now) {
      const first = Math.floor(now / hour) * hour - (hours - 1) * hour;
      const slot = sql<number>`(time - ${sql.lit(first)}) / ${sql.lit(hour)}`;
      const rows = await read
        .selectFrom("alerts")
        .select(({ fn }) => [slot.as("slot"), fn.countAll<number>().as("count")])
        .where("time", ">=", first)
        .where("time", "<", first + hours * hour)
        .groupBy(slot)
        .execute();
      const counts = new Map(rows.map((row) => [Math.floor(row.slot), row.count]));
      return Array.from({ length: hours }, (_, index) => ({
        time: first + index * hour,
        count: counts.get(index) ?? 0,
      }));
    },
  };
}

/** Stores what is not there yet, and returns that. */
export async function insertAlerts(
  engine: Engine,
  tx: Tx,
  alerts: readonly Alert[],
  now: number,
): Promise<StoredAlert[]> {
  if (alerts.length === 0) return [];
  const fresh = new Map(alerts.map((alert) => [alert.id, alert]));
  const known = await tx
    .selectFrom("alerts")
    .select("id")
    .where("id", "in", engine.list([...fresh.keys()]))
    .execute();
  for (const { id } of known) fresh.delete(id);
  const rows = [...fresh.values()].map((alert) => alertRow(alert, now));
  await engine.insertMany(tx, "alerts", alertColumns, rows);
  return [...fresh.values()].map((alert) => ({ ...alert, state: "open", comment: "", receivedAt: now }));
}

/** Of alerts that are there; others were let go, or are excepted. Answers with what there is of each now. */
export async function addRepeats(tx: Tx, told: readonly ToldRepeats[]): Promise<RepeatsOf[]> {
  const sums = new Map<string, AlertRepeats>();
  for (const { alert, count, last } of told) {
    const before = sums.get(alert);
    sums.set(alert, before ? { count: before.count + count, last: Math.max(before.last, last) } : { count, last });
  }
  const totals: RepeatsOf[] = [];
  // In one order everywhere: two writers that wait for each other would never end.
  for (const [alert, { count, last }] of [...sums].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const total = await tx
      .updateTable("alerts")
      .set(({ eb, ref }) => ({
        repeats: eb("repeats", "+", count),
        last_time: eb.case().when(ref("last_time"), "<", last).then(last).else(ref("last_time")).end(),
      }))
      .where("id", "=", alert)
      .returning(["id as alert", "repeats as count", "last_time as last"])
      .executeTakeFirst();
    if (total) totals.push(total);
  }
  return totals;
}

const alertColumns: Columns = {
  id: "text",
  time: "bigint",
  rule: "text",
  severity: "bigint",
  state: "text",
  comment: "text",
  container: "text",
  pod_uid: "text",
  received_at: "bigint",
  search: "text",
  body: "text",
};

function alertRow(alert: Alert, now: number): Value[] {
  const { container, process, request } = alert;
  const pod = container?.pod;
  const owners = (pod?.metadata?.owners ?? request?.owners ?? []).map(({ name }) => name);
  const who = [container?.name, container?.image.name, container?.id, pod?.name, pod?.namespace, ...owners];
  const asked = request ? [request.user, request.cluster, request.namespace, request.name] : [];
  const did = process ? [process.executable, ...process.arguments] : [];
  const evidence = alert.evidence.map(({ value }) => value);
  const text = [alert.title, alert.rule, ...who, ...asked, ...did, ...evidence].join(" ").slice(0, 4096);
  const search = withoutNul(text).toLowerCase();
  const { id, time, rule } = alert;
  const rank = severityRank(alert.severity);
  const uid = pod?.uid ?? (request?.resource === "pods" ? request.uid : "");
  return [
    id,
    time,
    rule,
    rank,
    "open",
    "",
    container?.id ?? null,
    uid === "" ? null : uid,
    now,
    search,
    JSON.stringify(alert),
  ];
}

function toAlert(row: Row): StoredAlert {
  const alert = JSON.parse(row.body) as Alert;
  const { state, comment, received_at: receivedAt, repeats: count, last_time: last } = row;
  return { ...alert, state: state as AlertState, comment, receivedAt, ...(count > 0 && { repeats: { count, last } }) };
}

/** Every severity with its count, 0 included. */
export function bySeverity(rows: { severity: number; count: number }[]): Record<Severity, number> {
  const counts = new Map<number, number>();
  for (const { severity, count } of rows) counts.set(severity, (counts.get(severity) ?? 0) + count);
  return Object.fromEntries(severities.map((name, rank) => [name, counts.get(rank) ?? 0])) as Record<Severity, number>;
}
