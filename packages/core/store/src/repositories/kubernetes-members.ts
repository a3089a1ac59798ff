import { sql, type RawBuilder } from "kysely";
import type { Engine } from "../engine.ts";
import type { ObjectRef } from "../store.ts";

// `cross join` is SQLite's word for "in this order": else it reads all objects of the cluster at each step.
// Source: sqlite.org/optoverview.html, 7.2

/** Uids of an object and of all that it controls, gone or not, as a list for `in`. A circle of owners ends by itself. */
export function podsOf({ cluster, uid }: ObjectRef): RawBuilder<string> {
  return sql`(with recursive down(uid) as (
    select ${sql.val(uid)} union
    select child.uid from down cross join kube_objects as child
      where child.cluster = ${cluster} and child.owner_uid = down.uid
  ) select uid from down)`;
}

/**
 * `members (root, cluster, uid)`: of each of these objects the pods that it is, controls or holds. What a namespace or a
 * node holds are the pods that live, for others have been there that nobody looks for under it. None comes twice: a
 * static pod, which its node controls, is among those that it controls.
 */
export function membersOf(engine: Engine, cluster: string, uids: readonly string[]): RawBuilder<unknown> {
  return sql`down(root, uid) as (
      select uid, uid from kube_objects where cluster = ${cluster} and uid in ${engine.list(uids)} union
      select down.root, child.uid from down cross join kube_objects as child
        where child.cluster = ${cluster} and child.owner_uid = down.uid),
    members(root, uid) as (select root, uid from down
      union all select holder.uid, pod.uid from kube_objects as holder cross join kube_objects as pod
        where holder.cluster = ${cluster} and holder.kind = 'Namespace' and holder.uid in ${engine.list(uids)}
          and pod.cluster = ${cluster} and pod.kind = 'Pod' and pod.namespace = holder.name and pod.deleted_at = 0
      union all select holder.uid, pod.uid from kube_objects as holder cross join kube_objects as pod
        where holder.cluster = ${cluster} and holder.kind = 'Node' and holder.uid in ${engine.list(uids)}
          and pod.cluster = ${cluster} and pod.node = holder.name and pod.deleted_at = 0
          and (pod.owner_uid is null or pod.owner_uid <> holder.uid))`;
}
