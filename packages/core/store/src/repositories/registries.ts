import type { ConnectedRegistry, RegistrySettings } from "@bulwark/model";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import type { Columns, Engine } from "../engine.ts";
import type { Schema } from "../schema.ts";
import type { RegistryRepository, StoredRegistry } from "../store.ts";
import { contains, pageOf, rowAfter } from "./paging.ts";

export function registryRepository(engine: Engine): RegistryRepository {
  const { read, write } = engine;

  async function toStored(rows: Schema["registries"][]): Promise<StoredRegistry[]> {
    const counts = await read
      .selectFrom("registry_images")
      .select(({ fn }) => ["registry", fn.countAll<number>().as("count")])
      .groupBy("registry")
      .execute();
    const images = new Map(counts.map(({ registry, count }) => [registry, count]));
    return rows.map((row) => ({
      id: row.id,
      settings: JSON.parse(row.body) as RegistrySettings,
      sealed: row.credentials,
      hookHash: row.hook_hash,
      hasCredentials: row.credentials !== null,
      state: row.state as ConnectedRegistry["state"],
      reason: row.reason,
      remedy: row.remedy,
      createdAt: row.created_at,
      listedAt: row.listed_at,
      nextAt: row.next_at,
      images: images.get(row.id) ?? 0,
    }));
  }

  return {
    async list() {
      return toStored(await read.selectFrom("registries").selectAll().orderBy("name").orderBy("id").execute());
    },
    async get(id) {
      return (await toStored(await read.selectFrom("registries").selectAll().where("id", "=", id).execute()))[0];
    },
    async due(now) {
      return toStored(
        await read.selectFrom("registries").selectAll().where("next_at", "<=", now).orderBy("next_at").execute(),
      );
    },
    async add({ id, settings, sealed, hookHash }, now) {
      await write
        .insertInto("registries")
        .values({
          ...{ id, name: settings.name, body: JSON.stringify(settings), credentials: sealed, hook_hash: hookHash },
          ...{ created_at: now, listed_at: null, next_at: now, state: "waiting", reason: "", remedy: "" },
        })
        .execute();
    },
    async change(id, { settings, sealed, hookHash, nextAt }) {
      const { numUpdatedRows } = await write
        .updateTable("registries")
        .set({
          id,
          ...(settings && { name: settings.name, body: JSON.stringify(settings) }),
          ...(sealed !== undefined && { credentials: sealed }),
          ...(hookHash !== undefined && { hook_hash: hookHash }),
          ...(nextAt !== undefined && { next_at: nextAt }),
        })
        .where("id", "=", id)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async listed(id, { state, reason, remedy, nextAt }, now) {
      await write
        .updateTable("registries")
        .set({ state, reason, remedy, next_at: nextAt, listed_at: now })
        .where("id", "=", id)
        .execute();
    },
    async remove(id) {
      return write.transaction().execute(async (tx) => {
        await tx.deleteFrom("registry_images").where("registry", "=", id).execute();
        const { numDeletedRows } = await tx.deleteFrom("registries").where("id", "=", id).executeTakeFirst();
        return numDeletedRows > 0n;
      });
    },
    async see(id, images, { whole }, now) {
      await write.transaction().execute(async (tx) => {
        const rows = images.map(({ repository, tag, digest, key }) => [id, repository, tag, digest, key, now]);
        await engine.insertMany(tx, "registry_images", columns, rows, seenAgain);
        if (!whole) return;
        await tx.deleteFrom("registry_images").where("registry", "=", id).where("seen_at", "<", now).execute();
      });
    },
    async images(id, { q }, { cursor, limit }) {
      let query = read
        .selectFrom("registry_images")
        .select(["repository", "tag", "digest", "key", "seen_at as seenAt"])
        .where("registry", "=", id)
        .orderBy("repository")
        .orderBy("tag")
        .limit(limit + 1);
      if (q) query = query.where(contains("key", q));
      if (cursor) {
        const after = decodeCursor("registry-images", cursor, ["string", "string"]);
        query = query.where(rowAfter(["repository", "tag"], ">", after));
      }
      return pageOf(
        await query.execute(),
        limit,
        (row) => row,
        (row) => encodeCursor("registry-images", [row.repository, row.tag]),
      );
    },
  };
}

const columns: Columns = {
  registry: "text",
  repository: "text",
  tag: "text",
  digest: "text",
  key: "text",
  seen_at: "bigint",
};
const seenAgain = `on conflict (registry, repository, tag) do update set digest = excluded.digest, key = excluded.key,
  seen_at = excluded.seen_at`;
