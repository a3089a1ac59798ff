import { imageKeyOf, type Container } from "@bulwark/model";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Columns, Engine, Value } from "../engine.ts";
import type { Tx } from "../schema.ts";
import type { ContainerRepository } from "../store.ts";
import { withoutNul } from "../text.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

export function containerRepository({ read }: Engine): ContainerRepository {
  return {
    async list({ state, q, node, privileged, pod }, { cursor, limit }) {
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
      if (pod) query = query.where("pod_uid", "=", pod);
      if (privileged !== undefined) query = query.where("privileged", "=", privileged ? 1 : 0);
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

const rowColumns: Columns = {
  node: "text",
  id: "text",
  image_key: "text",
  running: "bigint",
  privileged: "bigint",
  started_at: "bigint",
  seen_at: "bigint",
  pod_uid: "text",
  search: "text",
  body: "text",
};
const replaces = `on conflict (node, id) do update set ${[
  "image_key",
  "running",
  "privileged",
  "started_at",
  "seen_at",
  "pod_uid",
  "search",
  "body",
]
  .map((name) => `${name} = excluded.${name}`)
  .join(", ")}`;

/** What they are now. Of one that is told of twice, the later word holds. */
export async function putContainers(engine: Engine, tx: Tx, containers: Container[], now: number): Promise<void> {
  const latest = new Map(containers.map((item) => [`${item.node}\n${item.id}`, item]));
  const rows = [...latest.values()].map((item) => rowOf(item, now));
  await engine.insertMany(tx, "containers", rowColumns, rows, replaces);
}

/** What a node runs no more, even when its end was never told, has stopped. */
export async function stopOthers(
  engine: Engine,
  tx: Tx,
  node: string,
  running: readonly string[],
  now: number,
): Promise<Container[]> {
  const rows = await tx
    .selectFrom("containers")
    .select("body")
    .where("node", "=", node)
    .where("running", "=", 1)
    .where("id", "not in", engine.list(running))
    .execute();
  const stopped = rows.map(({ body }): Container => {
    const container = JSON.parse(body) as Container;
    return { ...container, state: "stopped", finishedAt: container.finishedAt ?? now, pid: null };
  });
  await putContainers(engine, tx, stopped, now);
  return stopped;
}

function rowOf(container: Container, now: number): Value[] {
  const { id, node, name, image, pod, labels, state, startedAt, privileged } = container;
  const pairs = Object.entries({ ...labels, ...pod?.metadata?.labels }).map((label) => label.join("="));
  const text = [id, name, image.name, pod?.name, pod?.namespace, ...pairs].join(" ").slice(0, 4096);
  const search = withoutNul(text).toLowerCase();
  const running = state === "running" || state === "paused" ? 1 : 0;
  const key = imageKeyOf(container);
  const podUid = pod && pod.uid !== "" ? pod.uid : null;
  return [node, id, key, running, privileged ? 1 : 0, startedAt ?? 0, now, podUid, search, JSON.stringify(container)];
}
