import type { Component } from "@bulwark/model";
import type { Engine } from "../engine.ts";
import type { Query } from "../schema.ts";
import type { HealthRepository } from "../store.ts";

export function healthRepository({ read, write }: Engine): HealthRepository {
  return {
    async list() {
      const rows = await read.selectFrom("components").select("body").orderBy("node").orderBy("id").execute();
      return rows.map(({ body }) => JSON.parse(body) as Component);
    },
    async put(components) {
      await putComponents(write, components);
    },
  };
}

export async function putComponents(query: Query, components: Component[]): Promise<void> {
  for (const component of components) {
    const { node, id, updatedAt: updated_at } = component;
    const body = JSON.stringify(component);
    await query
      .insertInto("components")
      .values({ node, id, updated_at, body })
      .onConflict((conflict) => conflict.columns(["node", "id"]).doUpdateSet({ updated_at, body }))
      .execute();
  }
}
