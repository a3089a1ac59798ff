import { nodeIdOf } from "@bulwark/model";
import type { Engine } from "../engine.ts";
import type { Schema, Tx } from "../schema.ts";
import type { AgentCertificate, AgentRepository, EnrolRefusal, JoinTokenRow } from "../store.ts";

/** Everything goes through the writing connection: who has just been revoked is so at once, at every replica. */
export function agentRepository(engine: Engine): AgentRepository {
  const { write } = engine;

  async function enrolIn(
    tx: Tx,
    asked: Parameters<AgentRepository["enrol"]>[0],
    now: number,
  ): Promise<EnrolRefusal | null> {
    const {
      token: { id, hash },
      certificate,
    } = asked;
    const token = await tx.selectFrom("join_tokens").selectAll().where("id", "=", id).executeTakeFirst();
    if (!token || token.hash !== hash || token.expires_at <= now) return "unknown-token";
    if (token.node !== null && token.node !== certificate.node) return "other-node";
    const { cluster } = token;
    const again = token.used_by === certificate.publicKey;
    if (token.node !== null && token.used_by !== null && !again) return "used";

    const held = await tx
      .selectFrom("agents")
      .select("public_key")
      .where("node", "=", certificate.node)
      .where("cluster", "=", cluster)
      .where("revoked_at", "is", null)
      .where("expires_at", ">", now)
      .where("public_key", "<>", certificate.publicKey)
      .execute();
    // A token for any node must not take a node over from the agent that has it; one for this very node says that it may.
    if (held.length > 0 && token.node === null) return "taken";
    if (held.length > 0) await revokeIn(tx, { cluster, node: certificate.node }, now);
    if (token.node !== null) {
      await tx.updateTable("join_tokens").set({ used_by: certificate.publicKey }).where("id", "=", id).execute();
    }
    await tx
      .insertInto("agents")
      .values(toRow({ ...certificate, cluster }))
      .execute();
    return null;
  }

  return {
    async addJoinToken({ id, hash, cluster, node, createdAt, expiresAt }) {
      await write.deleteFrom("join_tokens").where("expires_at", "<=", createdAt).execute();
      await write
        .insertInto("join_tokens")
        .values({ id, hash, cluster, node, created_at: createdAt, expires_at: expiresAt, used_by: null })
        .execute();
    },
    async joinToken(id, now) {
      const row = await write
        .selectFrom("join_tokens")
        .selectAll()
        .where("id", "=", id)
        .where("expires_at", ">", now)
        .executeTakeFirst();
      return row && toToken(row);
    },
    async enrol(asked, now) {
      return write.transaction().execute(async (tx) => {
        await engine.lock(tx, "agents", asked.certificate.node);
        return enrolIn(tx, asked, now);
      });
    },
    async renew(certificate) {
      await write.insertInto("agents").values(toRow(certificate)).execute();
    },
    async byFingerprint(fingerprint) {
      const row = await write
        .selectFrom("agents")
        .selectAll()
        .where("fingerprint", "=", fingerprint)
        .executeTakeFirst();
      return row && toCertificate(row);
    },
    async touch(fingerprint, address, now) {
      await write.updateTable("agents").set({ seen_at: now, address }).where("fingerprint", "=", fingerprint).execute();
    },
    async list(now) {
      const rows = await write
        .selectFrom("agents")
        .selectAll()
        .where("expires_at", ">", now)
        .orderBy("cluster")
        .orderBy("node")
        .orderBy("issued_at", "desc")
        .orderBy("fingerprint")
        .execute();
      const latest = new Map<string, AgentCertificate>();
      // One that is good before one that was revoked, whichever is younger.
      for (const row of rows.toSorted((a, b) => Number(a.revoked_at !== null) - Number(b.revoked_at !== null))) {
        const id = nodeIdOf(row.cluster, row.node);
        if (!latest.has(id)) latest.set(id, toCertificate(row));
      }
      return [...latest.values()].toSorted(
        (a, b) => Number(a.cluster > b.cluster) - Number(a.cluster < b.cluster) || (a.node < b.node ? -1 : 1),
      );
    },
    async revoke(agent, now) {
      return write.transaction().execute(async (tx) => {
        await engine.lock(tx, "agents", agent.node);
        return revokeIn(tx, agent, now);
      });
    },
    async forget(before) {
      const { numDeletedRows } = await write.deleteFrom("agents").where("expires_at", "<", before).executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

async function revokeIn(tx: Tx, { cluster, node }: { cluster: string; node: string }, now: number): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable("agents")
    .set({ revoked_at: now })
    .where("node", "=", node)
    .where("cluster", "=", cluster)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", now)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

function toRow(certificate: AgentCertificate): Schema["agents"] {
  const { fingerprint, node, cluster, publicKey, issuedAt, expiresAt, revokedAt, seenAt, address } = certificate;
  const times = { issued_at: issuedAt, expires_at: expiresAt, revoked_at: revokedAt, seen_at: seenAt };
  return { fingerprint, node, cluster, public_key: publicKey, address, ...times };
}

function toCertificate(row: Schema["agents"]): AgentCertificate {
  const { fingerprint, node, cluster, public_key: publicKey, address } = row;
  const times = { issuedAt: row.issued_at, expiresAt: row.expires_at, revokedAt: row.revoked_at, seenAt: row.seen_at };
  return { fingerprint, node, cluster, publicKey, address, ...times };
}

function toToken(row: Schema["join_tokens"]): JoinTokenRow {
  const { id, hash, cluster, node, created_at: createdAt, expires_at: expiresAt } = row;
  return { id, hash, cluster, node, createdAt, expiresAt };
}
