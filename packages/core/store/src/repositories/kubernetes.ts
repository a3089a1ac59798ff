import {
  kubeKinds,
  workloadKinds,
  type KubeChange,
  type KubeCluster,
  type KubeKnown,
  type KubeObject,
  type KubeRow,
  type OwnerRef,
  type Page,
  type Requirement,
  type StoredKubeObject,
} from "@bulwark/model";
import { sql, type RawBuilder, type SqlBool } from "kysely";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Columns, Engine, Value } from "../engine.ts";
import type { Tx } from "../schema.ts";
import type { KubeFilter, KubernetesRepository, ListOptions } from "../store.ts";
import { withoutNul } from "../text.ts";
import { bySeverity } from "./alerts.ts";
import { membersOf, podsOf } from "./kubernetes-members.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

/** Pod, ReplicaSet, Deployment, and what operators put above: more is a circle. */
const deepest = 8;
const columns = ["cluster", "uid", "namespace", "name", "first_seen", "deleted_at", "by_reference", "body"] as const;

interface Row {
  cluster: string;
  uid: string;
  namespace: string;
  name: string;
  first_seen: number;
  deleted_at: number;
  by_reference: number;
  body: string;
}

export function kubernetesRepository(engine: Engine): KubernetesRepository {
  const { read, write } = engine;

  async function objectsOf(found: Row[]): Promise<StoredKubeObject[]> {
    const clusters = await read.selectFrom("kube_clusters").select(["name", "synced_at"]).execute();
    const synced = new Map(clusters.map((row) => [row.name, row.synced_at]));
    return found.map((row) => toObject(row, synced.get(row.cluster) ?? 0));
  }

  async function rows(found: Row[]): Promise<KubeRow[]> {
    const objects = await objectsOf(found);
    const byCluster = Map.groupBy(objects, ({ cluster }) => cluster);
    const told = await Promise.all(
      Array.from(byCluster, async ([cluster, members]) => {
        const uids = members.map(({ uid }) => uid);
        const [owners, known] = await Promise.all([chains(cluster, members), knownOf(engine, cluster, uids)]);
        return members.map((object): KubeRow => {
          return { ...object, owners: owners.get(object.uid) ?? [], known: known.get(object.uid) ?? nothing() };
        });
      }),
    );
    const byKey = new Map(told.flat().map((row) => [`${row.cluster}\n${row.uid}`, row]));
    return objects.map(({ cluster, uid }) => byKey.get(`${cluster}\n${uid}`)).filter((row) => row !== undefined);
  }

  async function pageRows(filter: KubeFilter, { cursor, limit }: ListOptions): Promise<Page<Row>> {
    let query = read
      .selectFrom("kube_objects")
      .select(columns)
      .where((where) => where.and(conditions(filter)))
      .orderBy("cluster")
      .orderBy("namespace")
      .orderBy("name")
      .orderBy("uid")
      .limit(limit + 1);
    if (cursor) {
      const key = decodeCursor("kubernetes", cursor, ["string", "string", "string", "string"]);
      query = query.where(rowAfter(["cluster", "namespace", "name", "uid"], ">", key));
    }
    return pageOf(
      await query.execute(),
      limit,
      (row) => row,
      (row) => encodeCursor("kubernetes", [row.cluster, row.namespace, row.name, row.uid]),
    );
  }

  /** Owner by owner upwards for a whole page at a time. */
  async function chains(cluster: string, objects: StoredKubeObject[]): Promise<Map<string, OwnerRef[]>> {
    const result = new Map<string, OwnerRef[]>(objects.map(({ uid, owner }) => [uid, owner ? [owner] : []]));
    const above = new Map<string, OwnerRef | null>();
    for (let depth = 1; depth < deepest; depth++) {
      const ends = new Set([...result.values()].map((chain) => chain.at(-1)?.uid));
      const asked = [...ends].filter((uid) => uid !== undefined && !above.has(uid)) as string[];
      if (asked.length > 0) {
        const found = await read
          .selectFrom("kube_objects")
          .select(["uid", "body"])
          .where("cluster", "=", cluster)
          .where("uid", "in", engine.list(asked))
          .execute();
        const owners = new Map(found.map(({ uid, body }) => [uid, (JSON.parse(body) as KubeObject).owner]));
        for (const uid of asked) above.set(uid, owners.get(uid) ?? null);
      }
      let grown = false;
      for (const chain of result.values()) {
        const next = above.get(chain.at(-1)?.uid ?? "");
        if (!next || next.kind === "Node" || chain.some(({ uid }) => uid === next.uid)) continue;
        chain.push(next);
        grown = true;
      }
      if (!grown) break;
    }
    return result;
  }

  return {
    async putCluster(cluster) {
      await write
        .insertInto("kube_clusters")
        .values({ name: cluster.name, synced_at: cluster.syncedAt, body: JSON.stringify(cluster) })
        .onConflict((conflict) =>
          conflict.column("name").doUpdateSet({ synced_at: cluster.syncedAt, body: JSON.stringify(cluster) }),
        )
        .execute();
    },
    async clusters() {
      const found = await read.selectFrom("kube_clusters").select("body").orderBy("name").execute();
      return found.map(({ body }) => JSON.parse(body) as KubeCluster);
    },
    async forgetCluster(name) {
      await write.transaction().execute(async (tx) => {
        await engine.lock(tx, "clusters", name);
        await tx.deleteFrom("kube_labels").where("cluster", "=", name).execute();
        await tx.deleteFrom("kube_manifests").where("cluster", "=", name).execute();
        await tx.deleteFrom("kube_objects").where("cluster", "=", name).execute();
        await tx.deleteFrom("kube_clusters").where("name", "=", name).execute();
      });
    },
    async write(cluster, changes, now) {
      if (changes.length === 0) return [];
      return write.transaction().execute(async (tx) => {
        await engine.lock(tx, "clusters", cluster);
        const changed = new Map<string, number>();
        const count = (kind: string): void => void changed.set(kind, (changed.get(kind) ?? 0) + 1);
        for (const step of steps(changes)) {
          if (step.type === "list") {
            for (const { kind } of await markGone(engine, tx, cluster, step, now)) count(kind);
            continue;
          }
          for (const { kind } of await markDeleted(engine, tx, cluster, step.deleted, now)) count(kind);
          for (const { kind } of await put(engine, tx, cluster, step.objects, now)) count(kind);
          await putManifests(engine, tx, cluster, step.manifests);
        }
        return Array.from(changed, ([kind, number]) => ({ kind, changed: number }));
      });
    },
    async list(filter, options) {
      const page = await pageRows(filter, options);
      return { items: await rows(page.items), next: page.next };
    },
    async plain(filter, options) {
      const page = await pageRows(filter, options);
      return { items: await objectsOf(page.items), next: page.next };
    },
    async get(cluster, uid) {
      const row = await read
        .selectFrom("kube_objects")
        .select(columns)
        .where("cluster", "=", cluster)
        .where("uid", "=", uid)
        .executeTakeFirst();
      return row && (await rows([row]))[0];
    },
    async manifests(cluster, kind, { cursor, limit }) {
      let query = read
        .selectFrom("kube_objects as object")
        .leftJoin("kube_manifests as whole", (join) =>
          join.onRef("whole.cluster", "=", "object.cluster").onRef("whole.uid", "=", "object.uid"),
        )
        .select(["object.uid", "object.namespace", "object.name", "whole.body"])
        .where("object.kind", "=", kind)
        .where("object.cluster", "=", cluster)
        .where("object.deleted_at", "=", 0)
        .where("object.by_reference", "=", 0)
        .orderBy("object.namespace")
        .orderBy("object.name")
        .orderBy("object.uid")
        .limit(limit + 1);
      if (cursor) {
        const key = decodeCursor("manifests", cursor, ["string", "string", "string"]);
        query = query.where(rowAfter(["object.namespace", "object.name", "object.uid"], ">", key));
      }
      return pageOf(
        await query.execute(),
        limit,
        ({ body, ...rest }) => ({ ...rest, manifest: body }),
        (row) => encodeCursor("manifests", [row.namespace, row.name, row.uid]),
      );
    },
    async count(cluster) {
      const found = await read
        .selectFrom("kube_objects")
        .select(({ fn }) => ["kind", fn.countAll<number>().as("count")])
        .where("cluster", "=", cluster)
        .where("deleted_at", "=", 0)
        .where("by_reference", "=", 0)
        .groupBy("kind")
        .execute();
      return Object.fromEntries(found.map(({ kind, count }) => [kind, count]));
    },
  };
}

function conditions(filter: KubeFilter): RawBuilder<SqlBool>[] {
  const { cluster, kind, namespace, name, workloads, selector = [], q, node, owner, image, healthy, deleted } = filter;
  const all: RawBuilder<SqlBool>[] = [deleted === true ? sql`deleted_at > 0` : sql`deleted_at = 0`];
  if (cluster !== undefined) all.push(sql`cluster = ${cluster}`);
  if (kind !== undefined) all.push(sql`kind = ${kind}`);
  if (namespace !== undefined) all.push(sql`namespace = ${namespace}`);
  if (name !== undefined) all.push(sql`name = ${name}`);
  if (node !== undefined) all.push(sql`node = ${node}`);
  if (healthy !== undefined) all.push(sql`healthy = ${healthy ? 1 : 0}`);
  if (workloads === true) all.push(sql`root = 1`);
  // What is known by reference only is there as long as something refers to it.
  if (deleted !== true) {
    all.push(sql`(by_reference = 0 or exists (select 1 from kube_objects as child where child.deleted_at = 0
      and child.cluster = kube_objects.cluster and child.owner_uid = kube_objects.uid))`);
  }
  if (owner !== undefined && cluster !== undefined) {
    all.push(sql`uid <> ${owner} and uid in ${podsOf({ cluster, uid: owner })}`);
  }
  if (image !== undefined) {
    all.push(sql`uid in (select pod_uid from containers where image_key = ${image} and running = 1)`);
  }
  if (q !== undefined && q !== "") all.push(contains("search", q));
  return [...all, ...selector.map(labelled)];
}

function labelled({ key, operator, values }: Requirement): RawBuilder<SqlBool> {
  const own = sql`select 1 from kube_labels as label where label.cluster = kube_objects.cluster
    and label.uid = kube_objects.uid and label.key = ${key}`;
  switch (operator) {
    case "exists":
      return sql`exists (${own})`;
    case "not-exists":
      return sql`not exists (${own})`;
    case "in":
      return sql`exists (${own} and label.value in (${sql.join(values)}))`;
    case "not-in":
      return sql`not exists (${own} and label.value in (${sql.join(values)}))`;
  }
}

type ManifestsByUid = ReadonlyMap<string, string | null>;
type Step =
  | { type: "change"; objects: KubeObject[]; manifests: ManifestsByUid; deleted: string[] }
  | { type: "list"; kind: string; uids: readonly string[] };

/** Of what happens to one object between two lists, the last holds; one that came and went is written and marked. */
function steps(changes: readonly KubeChange[]): Step[] {
  const result: Step[] = [];
  let latest = new Map<string, KubeObject>();
  let manifests = new Map<string, string | null>();
  let deleted = new Set<string>();
  const flush = (): void => {
    // First what lives or lived, then what has gone: an object that lived for a moment only is known, too.
    if (latest.size > 0) result.push({ type: "change", objects: [...latest.values()], manifests, deleted: [] });
    if (deleted.size > 0) result.push({ type: "change", objects: [], manifests: new Map(), deleted: [...deleted] });
    latest = new Map();
    manifests = new Map();
    deleted = new Set();
  };
  for (const change of changes) {
    if (change.type === "list") {
      flush();
      result.push(change);
    } else if (change.type === "put") {
      latest.set(change.object.uid, change.object);
      if (change.manifest !== undefined) manifests.set(change.object.uid, change.manifest);
      deleted.delete(change.object.uid);
    } else deleted.add(change.uid);
  }
  flush();
  return result;
}

async function markGone(
  engine: Engine,
  tx: Tx,
  cluster: string,
  { kind, uids }: { kind: string; uids: readonly string[] },
  now: number,
): Promise<{ kind: string }[]> {
  const gone = await tx
    .updateTable("kube_objects")
    .set({ deleted_at: now })
    .where("cluster", "=", cluster)
    .where("kind", "=", kind)
    .where("deleted_at", "=", 0)
    .where("by_reference", "=", 0)
    .where("uid", "not in", engine.list(uids))
    .returning(["kind", "uid"])
    .execute();
  return dropManifests(engine, tx, cluster, gone);
}

async function markDeleted(
  engine: Engine,
  tx: Tx,
  cluster: string,
  uids: readonly string[],
  now: number,
): Promise<{ kind: string }[]> {
  if (uids.length === 0) return [];
  const gone = await tx
    .updateTable("kube_objects")
    .set({ deleted_at: now })
    .where("cluster", "=", cluster)
    .where("deleted_at", "=", 0)
    .where("uid", "in", engine.list(uids))
    .returning(["kind", "uid"])
    .execute();
  return dropManifests(engine, tx, cluster, gone);
}

/** Of what has gone nobody asks any more. */
async function dropManifests<T extends { uid: string }>(
  engine: Engine,
  tx: Tx,
  cluster: string,
  gone: T[],
): Promise<T[]> {
  const uids = gone.map(({ uid }) => uid);
  if (uids.length > 0) {
    await tx
      .deleteFrom("kube_manifests")
      .where("cluster", "=", cluster)
      .where("uid", "in", engine.list(uids))
      .execute();
  }
  return gone;
}

const manifestColumns: Columns = { cluster: "text", uid: "text", body: "text" };
/** One that is as it was costs no write. */
const otherManifest =
  "on conflict (cluster, uid) do update set body = excluded.body where kube_manifests.body <> excluded.body";

async function putManifests(engine: Engine, tx: Tx, cluster: string, told: ManifestsByUid): Promise<void> {
  const rows: Value[][] = [];
  const untold: { uid: string }[] = [];
  for (const [uid, text] of told) {
    if (text === null) untold.push({ uid });
    else rows.push([cluster, uid, withoutNul(text)]);
  }
  await dropManifests(engine, tx, cluster, untold);
  await engine.insertMany(tx, "kube_manifests", manifestColumns, rows, otherManifest);
}

const rowColumns: Columns = {
  cluster: "text",
  uid: "text",
  kind: "text",
  namespace: "text",
  name: "text",
  owner_uid: "text",
  root: "bigint",
  node: "text",
  healthy: "bigint",
  first_seen: "bigint",
  deleted_at: "bigint",
  by_reference: "bigint",
  search: "text",
  labels: "text",
  body: "text",
};
/** When it was seen first stays; one that lives again has not gone. */
const replaces = `on conflict (cluster, uid) do update set ${Object.keys(rowColumns)
  .filter((name) => !["cluster", "uid", "first_seen"].includes(name))
  .map((name) => `${name} = excluded.${name}`)
  .join(", ")}`;
const labelColumns: Columns = { cluster: "text", uid: "text", key: "text", value: "text" };

async function put(engine: Engine, tx: Tx, cluster: string, told: KubeObject[], now: number): Promise<KubeObject[]> {
  if (told.length === 0) return [];
  const known = await tx
    .selectFrom("kube_objects")
    .select(["uid", "labels", "body", "deleted_at", "by_reference"])
    .where("cluster", "=", cluster)
    .where("uid", "in", engine.list(told.map(({ uid }) => uid)))
    .execute();
  const before = new Map(known.map((row) => [row.uid, row]));
  const changed = told.map(clean).filter((object) => {
    const row = before.get(object.uid);
    return row?.body !== JSON.stringify(object) || row.deleted_at > 0 || row.by_reference === 1;
  });
  if (changed.length === 0) return [];
  await engine.insertMany(
    tx,
    "kube_objects",
    rowColumns,
    changed.map((object) => rowOf(object, now)),
    replaces,
  );
  await engine.insertMany(tx, "kube_objects", rowColumns, placeholders(changed, now));

  const relabelled = changed.filter((object) => before.get(object.uid)?.labels !== sorted(object.labels));
  const old = relabelled.filter(({ uid }) => before.has(uid)).map(({ uid }) => uid);
  if (old.length > 0) {
    await tx.deleteFrom("kube_labels").where("cluster", "=", cluster).where("uid", "in", engine.list(old)).execute();
  }
  const labels = relabelled.flatMap(({ uid, labels: own }) =>
    Object.entries(own).map(([key, value]): Value[] => [cluster, uid, key, value]),
  );
  await engine.insertMany(tx, "kube_labels", labelColumns, labels);
  return changed;
}

/** What comes back from PostgreSQL is without NUL, and is compared with what comes in. */
function clean(object: KubeObject): KubeObject {
  const text = JSON.stringify(object);
  return text.includes(String.raw`\u0000`)
    ? (JSON.parse(text.replaceAll(String.raw`\u0000`, "\u{FFFD}")) as KubeObject)
    : object;
}

function rowOf(object: KubeObject, now: number, byReference = false): Value[] {
  const { cluster, uid, kind, namespace, name, owner, node, healthy, status, containers, labels } = object;
  const root = byReference || (workloadKinds.includes(kind) && (owner === null || owner.kind === "Node"));
  const words = [name, namespace, kind, status, node ?? "", ...containers.map(({ image }) => image)];
  const search = withoutNul(words.join(" ").slice(0, 2048)).toLowerCase();
  const flags = [healthy ? 1 : 0, now, 0, byReference ? 1 : 0];
  const body = JSON.stringify(object);
  return [
    cluster,
    uid,
    kind,
    namespace,
    name,
    owner?.uid ?? null,
    root ? 1 : 0,
    node,
    ...flags,
    search,
    sorted(labels),
    body,
  ];
}

/** Owners of kinds that are not followed, such as `Rollout`: known by those that name them. */
function placeholders(objects: KubeObject[], now: number): Value[][] {
  const kinds: readonly string[] = kubeKinds;
  const named = objects.filter(
    ({ kind, owner }) => owner && workloadKinds.includes(kind) && !kinds.includes(owner.kind),
  );
  const rows = named.map(({ cluster, namespace, owner, createdAt }): [string, Value[]] => {
    const { uid = "", kind = "", apiVersion = "", name = "" } = owner ?? {};
    const own = { labels: {}, owner: null, node: null, status: "", healthy: true, facts: [], containers: [] };
    return [uid, rowOf({ cluster, uid, kind, apiVersion, namespace, name, createdAt, ...own }, now, true)];
  });
  return [...new Map(rows).values()];
}

function sorted(labels: Record<string, string>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

function toObject(row: Row, syncedAt: number): StoredKubeObject {
  const deletedAt = row.deleted_at > 0 ? row.deleted_at : null;
  return {
    ...(JSON.parse(row.body) as KubeObject),
    firstSeen: row.first_seen,
    lastSeen: deletedAt ?? Math.max(row.first_seen, syncedAt),
    deletedAt,
    byReference: row.by_reference === 1,
  };
}

function nothing(): KubeKnown {
  return { pods: 0, runningContainers: 0, alerts: bySeverity([]), findings: bySeverity([]) };
}

async function knownOf(engine: Engine, cluster: string, uids: readonly string[]): Promise<Map<string, KubeKnown>> {
  const { read } = engine;
  const members = membersOf(engine, cluster, uids);
  const [pods, containers, alerts, findings] = await Promise.all([
    sql<{ root: string; count: number }>`with recursive ${members} select members.root, count(*) as count from members
      cross join kube_objects where kube_objects.cluster = ${cluster} and kube_objects.uid = members.uid
      and kind = 'Pod' and deleted_at = 0 group by members.root`.execute(read),
    sql<{ root: string; count: number }>`with recursive ${members} select members.root, count(*) as count from members
      cross join containers where containers.pod_uid = members.uid and running = 1 group by members.root`.execute(read),
    sql<{ root: string; severity: number; count: number }>`with recursive ${members}
      select members.root, severity, count(*) as count from members cross join alerts
      where alerts.pod_uid = members.uid and state = 'open' group by members.root, severity`.execute(read),
    sql<{ root: string; severity: number; count: number }>`with recursive ${members},
      running(root, image_key) as (select distinct members.root, image_key from members
        cross join containers where containers.pod_uid = members.uid and running = 1)
      select root, severity, count(*) as count from running cross join findings
      where findings.image_key = running.image_key and state = 'open' group by root, severity`.execute(read),
  ]);
  const known = new Map(uids.map((uid) => [uid, nothing()]));
  for (const { root, count } of pods.rows) Object.assign(known.get(root) ?? {}, { pods: count });
  for (const { root, count } of containers.rows) Object.assign(known.get(root) ?? {}, { runningContainers: count });
  for (const [name, found] of [
    ["alerts", alerts.rows],
    ["findings", findings.rows],
  ] as const) {
    for (const [root, ofRoot] of Map.groupBy(found, (row) => row.root)) {
      Object.assign(known.get(root) ?? {}, { [name]: bySeverity(ofRoot) });
    }
  }
  return known;
}
