import { sql } from "kysely";
import type { Engine } from "../engine.ts";
import type { Tx } from "../schema.ts";

/** Agents with certificates, leases of replicas, and which node told what of an image. */
export async function pastOneMachine(tx: Tx, kind: Engine["kind"]): Promise<void> {
  const bytes = kind === "sqlite" ? "blob" : "bytea";
  const statements = [
    `create table agents (fingerprint text primary key, node text not null, cluster text not null,
      public_key text not null, issued_at bigint not null, expires_at bigint not null, revoked_at bigint,
      seen_at bigint, address text not null)`,
    "create index agents_node on agents (node)",
    `create table join_tokens (id text primary key, hash text not null, cluster text not null, node text,
      created_at bigint not null, expires_at bigint not null, used_by text)`,

    "create table leases (name text primary key, holder text not null, until bigint not null)",

    // Which contents of an image nodes have told of, each once, and who told which last.
    `create table image_contents (key text not null, hash text not null, state text not null, report ${bytes} not null,
      primary key (key, hash))`,
    `create table image_witnesses (key text not null, node text not null, hash text not null, seen_at bigint not null,
      primary key (key, node))`,
    "create index image_witnesses_seen on image_witnesses (seen_at)",
    "alter table images add column contents text not null default ''",
  ];
  for (const statement of statements) await sql.raw(statement).execute(tx);
}
