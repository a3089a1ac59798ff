import type { Component } from "@bulwark/model";
import type { Columns, Engine } from "../engine.ts";
import type { Tx } from "../schema.ts";
import type { HealthRepository } from "../store.ts";

export function healthRepository(engine: Engine): HealthRepository {
  const { read, write } = engine;
  return {
    async list() {
      const rows = await read.selectFrom("components").select("body").orderBy("node").orderBy("id").execute();
      return rows.map(({ body }) => JSON.parse(body) as Component);
    },
    async forget(node, before = Infinity) {
      let query = write.deleteFrom("components").where("node", "=", node);
      if (Number.isFinite(before)) query = query.where("updated_at", "<", before);
      await query.execute();
    },
    async put(components) {
      await write.transaction().execute(async (tx) => putComponents(engine, tx, components));
    },
  };
}

const columns: Columns = { node: "text", id: "text", updated_at: "bigint", body: "text" };
const replaces = "on conflict (node, id) do update set updated_at = excluded.updated_at, body = excluded.body";

/** What they say now. Of one that is told of twice, the later word holds. */
export async function putComponents(engine: Engine, tx: Tx, components: Component[]): Promise<void> {
  const latest = new Map(components.map((item) => [`${item.node}\n${item.id}`, item]));
  const rows = [...latest.values()].map((item) => [item.node, item.id, item.updatedAt, JSON.stringify(item)]);
  await engine.insertMany(tx, "components", columns, rows, replaces);
}
