import type { ActionOrder, ActionRecord } from "@bulwark/model";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Engine } from "../engine.ts";
import type { Tx } from "../schema.ts";
import type { ActionRepository } from "../store.ts";
import { beginsWith, pageOf, rowAfter } from "./paging.ts";

const columns = ["id", "created_at", "body"] as const;
/** Of one node, at a time. */
const mostOrders = 100;

export function actionRepository({ read, write }: Engine): ActionRepository {
  return {
    async list({ alert, container, quarantine }, { cursor, limit }) {
      let query = read.selectFrom("actions").select(columns).orderBy("created_at", "desc").orderBy("id", "desc");
      if (alert !== undefined) query = query.where("alert", "=", alert);
      if (container !== undefined) query = query.where("container", "=", container);
      // As `quarantineActionId` makes them.
      if (quarantine !== undefined) query = query.where(beginsWith("id", `${quarantine}/`));
      if (cursor !== undefined) {
        const key = decodeCursor("actions", cursor, ["number", "string"]);
        query = query.where(rowAfter(["created_at", "id"], "<", key));
      }
      return pageOf(
        await query.limit(limit + 1).execute(),
        limit,
        ({ body }) => JSON.parse(body) as ActionRecord,
        (row) => encodeCursor("actions", [row.created_at, row.id]),
      );
    },
    async get(id) {
      const row = await write.selectFrom("actions").select("body").where("id", "=", id).executeTakeFirst();
      return row && (JSON.parse(row.body) as ActionRecord);
    },
    async order(order, record, now) {
      await write.transaction().execute(async (tx) => {
        const { id, node, expiresAt } = order;
        await tx
          .insertInto("orders")
          .values({ id, node, expires_at: expiresAt, body: JSON.stringify(order) })
          .execute();
        if (record) await putActions(tx, [record], now);
      });
    },
    async orders(node, done, now) {
      return write.transaction().execute(async (tx) => {
        if (done.length > 0) {
          await tx
            .deleteFrom("orders")
            .where("node", "=", node)
            .where("id", "in", [...done])
            .execute();
        }
        const rows = await tx
          .selectFrom("orders")
          .select("body")
          .where("node", "=", node)
          .where("expires_at", ">", now)
          .orderBy("expires_at")
          .limit(mostOrders)
          .execute();
        return rows.map(({ body }) => JSON.parse(body) as ActionOrder);
      });
    },
    async expire(now) {
      return write.transaction().execute(async (tx) => {
        const rows = await tx
          .selectFrom("orders")
          .select(["id", "body"])
          .where("expires_at", "<=", now)
          .limit(1000)
          .execute();
        if (rows.length === 0) return [];
        const ids = rows.map(({ id }) => id);
        await tx.deleteFrom("orders").where("id", "in", ids).execute();
        const waiting = await tx
          .selectFrom("actions")
          .select("body")
          .where("id", "in", ids)
          .where("state", "=", "ordered")
          .execute();
        const expired = waiting.map(({ body }): ActionRecord => {
          const record = JSON.parse(body) as ActionRecord;
          return { ...record, time: now, state: "expired", text: notTaken, remedy: notTakenRemedy };
        });
        await putActions(tx, expired, now);
        return expired;
      });
    },
  };
}

const notTaken = "the agent of the node did not take the order in time";
const notTakenRemedy = "See under Health whether the agent runs and reaches the server, then order it again.";

/** What became of actions, in this order; those whose state is another one than before. A node changes its own alone. */
export async function putActions(tx: Tx, records: readonly ActionRecord[], now: number): Promise<ActionRecord[]> {
  const changed: ActionRecord[] = [];
  for (const record of records) {
    const { id, node, container, alert, state } = record;
    const before = await tx.selectFrom("actions").select(["node", "state"]).where("id", "=", id).executeTakeFirst();
    if (before && before.node !== node) continue;
    const body = JSON.stringify(record);
    await tx
      .insertInto("actions")
      .values({ id, node, container, alert, created_at: now, state, body })
      .onConflict((conflict) => conflict.column("id").doUpdateSet({ state, body }))
      .execute();
    if (before?.state !== state) changed.push(record);
  }
  return changed;
}
