import { sql } from "kysely";
import type { Tx } from "../schema.ts";

/** Whole objects of clusters that the server cannot read itself: what policies and benchmarks are asked about. */
export async function manifests(tx: Tx): Promise<void> {
  await sql`create table kube_manifests (cluster text not null, uid text not null, body text not null,
    primary key (cluster, uid))`.execute(tx);
}
