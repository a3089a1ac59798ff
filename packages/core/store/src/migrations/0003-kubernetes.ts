import { sql } from "kysely";
import type { Engine } from "../engine.ts";
import type { Tx } from "../schema.ts";

/** Clusters and their objects, which pod alerts and containers are of, audit records of API servers. */
export async function kubernetes(tx: Tx, kind: Engine["kind"]): Promise<void> {
  const sqlite = kind === "sqlite";
  const podUid = sqlite
    ? (body: string) => `json_extract(${body}, '$.pod.uid')`
    : (body: string) => `${body}::json -> 'pod' ->> 'uid'`;
  const ofContainer = sqlite ? "json_extract(body, '$.container')" : "(body::json -> 'container')::text";
  const statements = [
    "create table kube_clusters (name text primary key, synced_at bigint, body text not null)",
    `create table kube_objects (cluster text not null, uid text not null, kind text not null, namespace text not null,
      name text not null, owner_uid text, root bigint not null, node text, healthy bigint not null,
      first_seen bigint not null, deleted_at bigint not null, by_reference bigint not null, search text not null,
      labels text not null, body text not null, primary key (cluster, uid))`,
    "create index kube_objects_kind on kube_objects (kind, cluster, namespace, name, uid)",
    "create index kube_objects_root on kube_objects (cluster, namespace, name, uid) where root = 1",
    "create index kube_objects_owner on kube_objects (cluster, owner_uid) where owner_uid is not null",
    "create index kube_objects_node on kube_objects (cluster, node) where node is not null",
    "create index kube_objects_deleted on kube_objects (deleted_at) where deleted_at > 0",
    `create table kube_labels (cluster text not null, uid text not null, key text not null, value text not null,
      primary key (cluster, uid, key))`,
    "create index kube_labels_key on kube_labels (key, value, cluster, uid)",
    `create table audit_seen (id text primary key, seen_at bigint not null)`,
    "create index audit_seen_at on audit_seen (seen_at)",

    "alter table containers add column pod_uid text",
    `update containers set pod_uid = ${podUid("body")} where body like '%"uid"%'`,
    "create index containers_pod on containers (pod_uid, running) where pod_uid is not null",
    "alter table alerts add column pod_uid text",
    `update alerts set pod_uid = ${podUid(ofContainer)} where container is not null and body like '%"uid"%'`,
    "create index alerts_pod on alerts (pod_uid, time, id) where pod_uid is not null",
  ];
  for (const statement of statements) await sql.raw(statement).execute(tx);
}
