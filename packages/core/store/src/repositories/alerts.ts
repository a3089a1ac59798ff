import { severities, severityRank, type Alert, type AlertState, type Severity, type StoredAlert } from "@bulwark/model";
import { sql } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Engine } from "../engine.ts";
import type { AlertRepository } from "../store.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

const hour = 3_600_000;
const columns = ["time", "id", "state", "comment", "received_at", "body"] as const;

interface Row {
  time: number;
  id: string;
  state: string;
  comment: string;
  received_at: number;
  body: string;
}

export function alertRepository({ read, write }: Engine): AlertRepository {
  async function get(id: string): Promise<StoredAlert | undefined> {
    const row = await write.selectFrom("alerts").select(columns).where("id", "=", id).executeTakeFirst();
    return row && toAlert(row);
  }
  return {
    get,
    async list({ severity, state, rule, container, q, since, until }, { cursor, limit }) {
      let query = read
        .selectFrom("alerts")
        .select(columns)
        .orderBy("time", "desc")
        .orderBy("id", "desc")
        .limit(limit + 1);
      if (severity) query = query.where("severity", "in", severity.map(severityRank));
      if (state) query = query.where("state", "=", state);
      if (rule) query = query.where("rule", "=", rule);
      if (container) query = query.where("container", "=", container);
      if (q) query = query.where(contains("search", q));
      if (since !== undefined) query = query.where("time", ">=", since);
      if (until !== undefined) query = query.where("time", "<=", until);
      if (cursor)
        query = query.where(rowAfter(["time", "id"], "<", decodeCursor("alerts", cursor, ["number", "string"])));
      const toCursor = (row: Row): string => encodeCursor("alerts", [row.time, row.id]);
      return pageOf<Row, StoredAlert>(await query.execute(), limit, toAlert, toCursor);
    },
    async update(id, { state, comment }) {
      const change = comment === undefined ? { state } : { state, comment };
      const { numUpdatedRows } = await write.updateTable("alerts").set(change).where("id", "=", id).executeTakeFirst();
      return numUpdatedRows === 0n ? undefined : get(id);
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

function toAlert(row: Row): StoredAlert {
  const alert = JSON.parse(row.body) as Alert;
  return { ...alert, state: row.state as AlertState, comment: row.comment, receivedAt: row.received_at };
}

/** Every severity with its count, 0 included. */
export function bySeverity(rows: { severity: number; count: number }[]): Record<Severity, number> {
  const counts = new Map(rows.map((row) => [row.severity, row.count]));
  return Object.fromEntries(severities.map((name, rank) => [name, counts.get(rank) ?? 0])) as Record<Severity, number>;
}
