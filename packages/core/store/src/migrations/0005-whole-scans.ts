import { sql } from "kysely";
import type { Engine } from "../engine.ts";
import type { Tx } from "../schema.ts";

/** Findings of every kind and what they are of, scans and how they get on, registries, findings by day. */
export async function wholeScans(tx: Tx, kind: Engine["kind"]): Promise<void> {
  const field =
    kind === "sqlite"
      ? (name: string) => `json_extract(body, '$.${name}')`
      : (name: string) => `body::json ->> '${name}'`;
  const detail = (name: string): string =>
    `coalesce((select ${field(name)} from finding_details where finding_details.fingerprint = findings.fingerprint), '')`;
  const statements = [
    "alter table findings add column kind text not null default 'vulnerability'",
    "alter table findings add column subject text not null default ''",
    "alter table findings add column package text not null default ''",
    `update findings set subject = ${detail("id")}, package = ${detail("package")}`,
    `update finding_details set body = '{"kind":"vulnerability","locations":[],"layer":null,"step":null,"origin":null,' ||
      '"vulnerability":' || body || '}'`,
    "create index findings_subject on findings (subject, kind, urgency, fingerprint)",
    "create index findings_package on findings (package, urgency, fingerprint) where package <> ''",
    `create table finding_days (day bigint not null, severity bigint not null, open bigint not null,
      primary key (day, severity))`,

    "alter table image_contents add column source text not null default 'image'",

    `create table scans (place text not null, key text not null, name text not null, origin text not null,
      rank bigint not null, state text not null, attempts bigint not null, reason text not null, done bigint not null,
      total bigint, queued_at bigint not null, started_at bigint, finished_at bigint, next_at bigint,
      told_at bigint not null, primary key (place, key))`,
    "create index scans_state on scans (state, rank, queued_at)",
    "create index scans_told on scans (told_at)",

    `create table registries (id text primary key, name text not null, body text not null, credentials text,
      hook_hash text not null, created_at bigint not null, listed_at bigint, next_at bigint, state text not null,
      reason text not null, remedy text not null)`,
    `create table registry_images (registry text not null, repository text not null, tag text not null,
      digest text not null, pushed bigint not null, seen_at bigint not null, primary key (registry, repository, tag))`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(tx);
}
