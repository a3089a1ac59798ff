import type { NetworkPolicyDocument } from "@bulwark/model";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Engine } from "../engine.ts";
import type { NetworkDocumentRepository } from "../store.ts";
import { withoutNul } from "../text.ts";
import { pageOf, rowAfter } from "./paging.ts";

export function networkDocumentRepository({ read, write }: Engine): NetworkDocumentRepository {
  return {
    async list({ cluster }, { cursor, limit }) {
      let query = read.selectFrom("network_documents").select(["id", "created_at", "body"]);
      if (cluster !== undefined) query = query.where("cluster", "=", cluster);
      if (cursor !== undefined) {
        const key = decodeCursor("network-documents", cursor, ["number", "string"]);
        query = query.where(rowAfter(["created_at", "id"], "<", key));
      }
      const rows = await query
        .orderBy("created_at", "desc")
        .orderBy("id", "desc")
        .limit(limit + 1)
        .execute();
      return pageOf(
        rows,
        limit,
        ({ body }) => JSON.parse(body) as NetworkPolicyDocument,
        (row) => encodeCursor("network-documents", [row.created_at, row.id]),
      );
    },
    async get(id) {
      const row = await read.selectFrom("network_documents").select("body").where("id", "=", id).executeTakeFirst();
      return row && (JSON.parse(row.body) as NetworkPolicyDocument);
    },
    async add(document, before) {
      const { id, cluster, published } = document;
      const row = { id, cluster, created_at: published.time, before: withoutNul(before), ...columnsOf(document) };
      await write.insertInto("network_documents").values(row).execute();
    },
    async before(id) {
      const row = await read.selectFrom("network_documents").select("before").where("id", "=", id).executeTakeFirst();
      return row?.before;
    },
    async change(document, from) {
      const { numUpdatedRows } = await write
        .updateTable("network_documents")
        .set(columnsOf(document))
        .where("id", "=", document.id)
        .where("state", "=", from)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async due(now) {
      const rows = await read
        .selectFrom("network_documents")
        .select("body")
        .where("confirm_before", "<=", now)
        .where("state", "in", ["published", "stuck"])
        .orderBy("confirm_before")
        .limit(100)
        .execute();
      return rows.map(({ body }) => JSON.parse(body) as NetworkPolicyDocument);
    },
  };
}

function columnsOf(document: NetworkPolicyDocument): { state: string; confirm_before: number | null; body: string } {
  const { state, confirmBefore } = document;
  return { state, confirm_before: confirmBefore, body: withoutNul(JSON.stringify(document)) };
}
