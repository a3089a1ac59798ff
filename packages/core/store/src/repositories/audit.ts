import { createHash } from "node:crypto";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Engine } from "../engine.ts";
import type { Schema } from "../schema.ts";
import type { AuditEntry, AuditRepository } from "../store.ts";
import { withoutNul } from "../text.ts";
import { pageOf } from "./paging.ts";

const checkedAtOnce = 1000;

/**
 * Each entry carries the hash of itself together with the hash of the one before it, so that none can be changed or
 * taken out of the middle unseen. Retention takes from the front: the first entry that is left is trusted.
 */
export function auditRepository(engine: Engine): AuditRepository {
  const { read, write } = engine;
  return {
    async append(told) {
      // What is hashed must be what the engine gives back.
      const entry = {
        ...told,
        actor: withoutNul(told.actor),
        action: withoutNul(told.action),
        target: withoutNul(told.target),
        address: withoutNul(told.address),
      };
      return write.transaction().execute(async (tx) => {
        await engine.lock(tx, "audit");
        const last = await tx
          .selectFrom("audit")
          .select(["id", "hash"])
          .orderBy("id", "desc")
          .limit(1)
          .executeTakeFirst();
        const row = { ...entry, id: (last?.id ?? 0) + 1, detail: JSON.stringify(entry.detail) };
        const hash = chain(last?.hash ?? "", row);
        await tx
          .insertInto("audit")
          .values({ ...row, hash })
          .execute();
        return { ...entry, id: row.id, hash };
      });
    },
    async list({ cursor, limit }) {
      let query = read
        .selectFrom("audit")
        .selectAll()
        .orderBy("id", "desc")
        .limit(limit + 1);
      if (cursor) query = query.where("id", "<", decodeCursor("audit", cursor, ["number"])[0]);
      return pageOf(await query.execute(), limit, toEntry, (row) => encodeCursor("audit", [row.id]));
    },
    async verify() {
      let entries = 0;
      let previous: Schema["audit"] | undefined;
      for (;;) {
        const rows = await read
          .selectFrom("audit")
          .selectAll()
          .where("id", ">", previous?.id ?? 0)
          .orderBy("id")
          .limit(checkedAtOnce)
          .execute();
        for (const row of rows) {
          const first = previous === undefined && row.id !== 1;
          const follows = previous === undefined ? "" : previous.hash;
          const gap = previous !== undefined && row.id !== previous.id + 1;
          if (!first && (gap || row.hash !== chain(follows, row))) return { entries, brokenAt: row.id };
          entries++;
          previous = row;
        }
        if (rows.length < checkedAtOnce) return { entries, brokenAt: null };
      }
    },
  };
}

function chain(previous: string, row: Omit<Schema["audit"], "hash">): string {
  const { id, time, actor, action, target, detail, address } = row;
  const text = JSON.stringify([previous, id, time, actor, action, target, detail, address]);
  return createHash("sha256").update(text).digest("hex");
}

function toEntry(row: Schema["audit"]): AuditEntry {
  return { ...row, detail: JSON.parse(row.detail) as AuditEntry["detail"] };
}
