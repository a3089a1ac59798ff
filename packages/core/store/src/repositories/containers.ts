import type { Container } from "@bulwark/model";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Engine } from "../engine.ts";
import type { ContainerRepository } from "../store.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

export function containerRepository({ read }: Engine): ContainerRepository {
  return {
    async list({ state, q, node }, { cursor, limit }) {
      let query = read
        .selectFrom("containers")
        .select(["running", "started_at", "node", "id", "body"])
        .orderBy("running", "desc")
        .orderBy("started_at", "desc")
        .orderBy("node", "desc")
        .orderBy("id", "desc")
        .limit(limit + 1);
      if (state) query = query.where("running", "=", state === "running" ? 1 : 0);
      if (node) query = query.where("node", "=", node);
      if (q) query = query.where(contains("search", q));
      if (cursor) {
        const key = decodeCursor("containers", cursor, ["number", "number", "string", "string"]);
        query = query.where(rowAfter(["running", "started_at", "node", "id"], "<", key));
      }
      const rows = await query.execute();
      return pageOf(
        rows,
        limit,
        (row) => JSON.parse(row.body) as Container,
        (row) => encodeCursor("containers", [row.running, row.started_at, row.node, row.id]),
      );
    },
    async get(id) {
      const row = await read
        .selectFrom("containers")
        .select("body")
        .where("id", "=", id)
        .orderBy("seen_at", "desc")
        .limit(1)
        .executeTakeFirst();
      return row && (JSON.parse(row.body) as Container);
    },
    async count() {
      const row = await read
        .selectFrom("containers")
        .select(({ fn }) => [
          fn.countAll<number>().as("running"),
          fn.sum<number | string | null>("privileged").as("privileged"),
          fn.count<number>("node").distinct().as("nodes"),
        ])
        .where("running", "=", 1)
        .executeTakeFirstOrThrow();
      return { running: row.running, privileged: Number(row.privileged ?? 0), nodes: row.nodes };
    },
  };
}
