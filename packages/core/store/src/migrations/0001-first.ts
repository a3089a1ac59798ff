import { sql } from "kysely";
import type { Engine } from "../engine.ts";
import type { Tx } from "../schema.ts";

export async function first(tx: Tx, kind: Engine["kind"]): Promise<void> {
  const sqlite = kind === "sqlite";
  const bytes = sqlite ? "blob" : "bytea";
  // An index of SQLite ends with the row's id by itself.
  const andId = sqlite ? "" : ", id";
  const statements = [
    "create table spools (node text not null, id text not null, stored bigint not null, primary key (node, id))",

    `create table events (id ${sqlite ? "integer" : "bigint"} primary key, time bigint not null, kind text not null,
      container bigint, search text not null)`,
    `create index events_kind on events (kind, time${andId})`,
    `create index events_container on events (container, kind, time${andId}) where container is not null`,
    `create table event_blocks (id ${sqlite ? "integer" : "bigint"} primary key, max_time bigint not null,
      events bigint not null, bytes bigint not null, body ${bytes} not null)`,
    "create index event_blocks_time on event_blocks (max_time)",

    `create table alerts (id text primary key, time bigint not null, rule text not null, severity bigint not null,
      state text not null, comment text not null, container text, received_at bigint not null, search text not null,
      body text not null)`,
    "create index alerts_time on alerts (time, id)",
    "create index alerts_state on alerts (state, severity, time, id)",
    "create index alerts_rule on alerts (rule, time, id)",
    "create index alerts_container on alerts (container, time, id)",

    `create table containers (node text not null, id text not null, image_key text not null, running bigint not null,
      privileged bigint not null, started_at bigint not null, seen_at bigint not null, search text not null,
      body text not null, primary key (node, id))`,
    "create index containers_list on containers (running, started_at, node, id)",
    "create index containers_image on containers (image_key, running)",
    "create index containers_id on containers (id)",

    `create table images (key text primary key, name text not null, digest text, os text, packages bigint not null,
      state text not null, scanned_at bigint not null, report ${bytes} not null)`,

    `create table findings (fingerprint text primary key, image_key text not null, severity bigint not null,
      urgency bigint not null, exploited bigint not null, fixable bigint not null, state text not null,
      first_seen bigint not null, last_seen bigint not null, search text not null)`,
    "create index findings_list on findings (urgency, fingerprint)",
    "create index findings_image on findings (image_key, state, severity)",
    "create index findings_state on findings (state, severity, exploited)",
    "create table finding_details (fingerprint text primary key, body text not null)",

    `create table components (node text not null, id text not null, updated_at bigint not null, body text not null,
      primary key (node, id))`,

    "create table users (name text primary key, password_hash text)",
    "create table login_links (hash text primary key, user_name text not null, expires_at bigint not null)",
    `create table sessions (hash text primary key, user_name text not null, csrf text not null, created_at bigint not null,
      expires_at bigint not null)`,
    `create table tokens (id text primary key, hash text not null unique, name text not null, scope text not null,
      node text, created_at bigint not null, expires_at bigint not null, last_used_at bigint)`,
    `create table audit (id bigint primary key, time bigint not null, actor text not null, action text not null,
      target text not null, detail text not null, address text not null, hash text not null)`,
    "create table settings (name text primary key, value text not null)",
    ...(sqlite ? ofSqlite : ofPostgres),
  ];
  for (const statement of statements) await sql.raw(statement).execute(tx);
}

const ofSqlite = ["create table block_counter (last integer not null)", "insert into block_counter values (0)"];

const ofPostgres = [
  "create sequence event_block_ids",
  // Blocks are compressed already.
  "alter table event_blocks alter column body set storage external",
  // A fifth of many millions, PostgreSQL's own measure, would let the tables swell before their space is used again.
  "alter table events set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)",
  "alter table event_blocks set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)",
];
