import type { Engine } from "../engine.ts";
import type { Schema } from "../schema.ts";
import type { AccountRepository, ApiToken, Session } from "../store.ts";

/** Everything goes through the writing connection: who has just been let in or thrown out is so at once. */
export function accountRepository({ write }: Engine): AccountRepository {
  return {
    async user(name) {
      const row = await write.selectFrom("users").selectAll().where("name", "=", name).executeTakeFirst();
      return row && { name: row.name, passwordHash: row.password_hash };
    },
    async putUser({ name, passwordHash: password_hash }) {
      await write
        .insertInto("users")
        .values({ name, password_hash })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ password_hash }))
        .execute();
    },
    async addLoginLink({ hash, user, expiresAt }) {
      await write.insertInto("login_links").values({ hash, user_name: user, expires_at: expiresAt }).execute();
    },
    async takeLoginLink(hash, now) {
      // One statement: of two who ask at once, one gets the row.
      const row = await write.deleteFrom("login_links").where("hash", "=", hash).returningAll().executeTakeFirst();
      await write.deleteFrom("login_links").where("expires_at", "<=", now).execute();
      return row && row.expires_at > now ? { user: row.user_name } : undefined;
    },
    async session(hash, now) {
      const row = await write
        .selectFrom("sessions")
        .selectAll()
        .where("hash", "=", hash)
        .where("expires_at", ">", now)
        .executeTakeFirst();
      return row && toSession(row);
    },
    async addSession({ hash, user, csrf, createdAt, expiresAt }) {
      const change = { csrf, expires_at: expiresAt };
      await write.deleteFrom("sessions").where("expires_at", "<=", createdAt).execute();
      await write
        .insertInto("sessions")
        .values({ hash, user_name: user, created_at: createdAt, ...change })
        .onConflict((conflict) => conflict.column("hash").doUpdateSet(change))
        .execute();
    },
    async extendSession(hash, expires_at) {
      await write.updateTable("sessions").set({ expires_at }).where("hash", "=", hash).execute();
    },
    async deleteSession(hash) {
      await write.deleteFrom("sessions").where("hash", "=", hash).execute();
    },
    async deleteSessions(user, except) {
      await write.deleteFrom("sessions").where("user_name", "=", user).where("hash", "!=", except).execute();
    },
    async addToken({ id, hash, name, scope, node, createdAt, expiresAt, lastUsedAt }) {
      const times = { created_at: createdAt, expires_at: expiresAt, last_used_at: lastUsedAt };
      await write
        .insertInto("tokens")
        .values({ id, hash, name, scope, node, ...times })
        .execute();
    },
    async tokenByHash(hash, now) {
      const row = await write
        .selectFrom("tokens")
        .selectAll()
        .where("hash", "=", hash)
        .where("expires_at", ">", now)
        .executeTakeFirst();
      return row && toToken(row);
    },
    async tokens() {
      const rows = await write.selectFrom("tokens").selectAll().orderBy("created_at", "desc").execute();
      return rows.map(toToken);
    },
    async touchToken(id, now) {
      await write.updateTable("tokens").set({ last_used_at: now }).where("id", "=", id).execute();
    },
    async deleteToken(id) {
      const { numDeletedRows } = await write.deleteFrom("tokens").where("id", "=", id).executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}

function toSession(row: Schema["sessions"]): Session {
  const { hash, user_name: user, csrf, created_at: createdAt, expires_at: expiresAt } = row;
  return { hash, user, csrf, createdAt, expiresAt };
}

function toToken(row: Schema["tokens"]): ApiToken {
  const { id, hash, name, node, created_at: createdAt, expires_at: expiresAt, last_used_at: lastUsedAt } = row;
  return { id, hash, name, scope: row.scope as ApiToken["scope"], node, createdAt, expiresAt, lastUsedAt };
}
