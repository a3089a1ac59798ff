import { sql } from "kysely";
import type { Engine } from "../engine.ts";
import type { Tx } from "../schema.ts";

/**
 * A node of a cluster that is not called `default` is known as `<cluster>/<name>` from here on, so that nodes of two
 * clusters may have one name. What is kept of it as it is now takes the new name, and goes to the cluster whose agent was
 * let in last. Events and alerts stay as they were told.
 */
export async function nodeIds(tx: Tx, kind: Engine["kind"]): Promise<void> {
  const { rows } = await sql<{ node: string; cluster: string }>`
    select node, cluster from agents where node <> 'cluster:' || cluster order by issued_at`.execute(tx);
  const clusterOf = new Map(rows.map(({ node, cluster }) => [node, cluster]));
  for (const [node, cluster] of clusterOf) {
    if (cluster === "default") continue;
    const id = `${cluster}/${node}`;
    const body =
      kind === "sqlite"
        ? sql`json_set(body, '$.node', ${id})`
        : sql`jsonb_set(body::jsonb, '{node}', to_jsonb(${id}::text))::text`;
    for (const table of ["containers", "components"]) {
      await sql`update ${sql.table(table)} set node = ${id}, body = ${body} where node = ${node}`.execute(tx);
    }
    await sql`update image_witnesses set node = ${id} where node = ${node}`.execute(tx);
    // A spool's own id has its node before it.
    await sql`update spools set node = ${id}, id = ${`${cluster}/`} || id where node = ${node}`.execute(tx);
  }
}
