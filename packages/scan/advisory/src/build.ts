import { existsSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { errorText } from "@bulwark/model/plain";
import { databaseVersion, tables } from "./database.ts";
import type { FeedFile } from "./source.ts";
import { newRows, type Rows } from "./rows.ts";

/**
 * Writes a new database beside the old one and puts it in its place. A file that cannot be read, or could not be had,
 * leaves no half: the records that the old database has of it are taken over, and the failure is noted. A file that the
 * old database was built from is not read again.
 */
export async function build(
  into: string,
  files: FeedFile[],
  onFeed: (name: string) => void,
  now: number,
): Promise<void> {
  const beside = `${into}.new`;
  rmSync(beside, { force: true });
  const database = new DatabaseSync(beside);
  try {
    // Nothing of it is of use before the rename: a crash costs a run, not the database in use.
    database.exec("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -200000");
    database.exec(tables);
    const old = isReadable(into);
    if (old) database.prepare("attach ? as old").run(into);
    const rows = newRows(database);
    for (const file of files) await loadFeed(database, rows, file, { old, now, onFeed });
    rows.finish();
    const meta = database.prepare("insert into meta values (?, ?)");
    meta.run("version", String(databaseVersion));
    meta.run("built_at", String(now));
    if (old) database.exec("detach old");
    database.exec("pragma synchronous = full; pragma optimize");
    database.close();
    renameSync(beside, into);
  } catch (error) {
    if (database.isOpen) database.close();
    rmSync(beside, { force: true });
    throw error;
  }
}

async function loadFeed(
  database: DatabaseSync,
  rows: Rows,
  { feed, path, file, stamp, error }: FeedFile,
  { old, now, onFeed }: { old: boolean; now: number; onFeed: (name: string) => void },
): Promise<void> {
  const name = feed.nameOf(path);
  const note = database.prepare("insert or replace into feeds values (?, ?, ?, ?, ?)");
  const before = old ? readBefore(database, name) : undefined;
  database.exec("begin");
  if (before && before.stamp === stamp) {
    rows.takeOver(name);
    note.run(name, before.records, error === "" ? now : before.updatedAt, error, stamp);
    database.exec("commit");
    return;
  }
  let problem = error;
  if (file !== undefined) {
    onFeed(name);
    const from = rows.mark();
    try {
      const records = await feed.load(file, path, rows.writer(name));
      note.run(name, records, now, problem, stamp);
      database.exec("commit");
      return;
    } catch (failure) {
      problem = errorText(failure);
      rows.removeFrom(from, name);
    }
  }
  if (before) rows.takeOver(name);
  note.run(name, before?.records ?? 0, before?.updatedAt ?? 0, problem, before?.stamp ?? "");
  database.exec("commit");
}

interface Before {
  records: number;
  updatedAt: number;
  stamp: string;
}

function readBefore(database: DatabaseSync, name: string): Before | undefined {
  return database
    .prepare("select records, updated_at as updatedAt, stamp from old.feeds where name = ? and stamp <> ''")
    .get(name) as Before | undefined;
}

function isReadable(path: string): boolean {
  if (!existsSync(path)) return false;
  let old: DatabaseSync | undefined;
  try {
    old = new DatabaseSync(path, { readOnly: true });
    const row = old.prepare("select value from meta where name = 'version'").get() as { value: string } | undefined;
    return row?.value === String(databaseVersion);
  } catch {
    return false;
  } finally {
    old?.close();
  }
}
