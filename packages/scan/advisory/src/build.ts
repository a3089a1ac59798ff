import { existsSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { errorText } from "@bulwark/model";
import { databaseVersion, indexes, tables } from "./database.ts";
import type { Advisory, Writer } from "./feeds/feed.ts";
import type { FeedFile } from "./source.ts";

/**
 * Writes a new database beside the old one and puts it in its place. A file that cannot be read, or could not be had,
 * leaves no half: the records that the old database has of it are taken over, and the failure is noted.
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
    const write = writerOn(database);
    for (const file of files) {
      const name = file.feed.nameOf(file.path);
      onFeed(name);
      await loadFeed(database, name, file, write(name), old, now);
    }
    database.exec(indexes);
    database.exec(`insert or ignore into ratings
      select json_extract(cves, '$[0]'), vector from advisories where vector is not null and json_array_length(cves) = 1`);
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
  name: string,
  { feed, path, file, error }: FeedFile,
  writer: Writer,
  old: boolean,
  now: number,
): Promise<void> {
  const note = database.prepare("insert or replace into feeds values (?, ?, ?, ?)");
  let problem = error;
  database.exec("begin");
  if (file !== undefined) {
    try {
      const records = await feed.load(file, path, writer);
      note.run(name, records, now, problem);
      database.exec("commit");
      return;
    } catch (failure) {
      problem = errorText(failure);
    }
  }
  // No journal, so no rollback: what a broken file has brought is taken out again.
  database.prepare("delete from affected where advisory in (select number from advisories where feed = ?)").run(name);
  database.prepare("delete from advisories where feed = ?").run(name);
  if (name === "cisa-kev") database.exec("delete from exploited");
  const known = old ? takeOver(database, name) : undefined;
  note.run(name, known?.records ?? 0, known?.updatedAt ?? 0, problem);
  database.exec("commit");
}

function takeOver(database: DatabaseSync, name: string): { records: number; updatedAt: number } | undefined {
  const known = database.prepare("select records, updated_at as updatedAt from old.feeds where name = ?").get(name);
  const { next } = database.prepare("select coalesce(max(number), 0) as next from advisories").get() as {
    next: number;
  };
  database
    .prepare(
      `insert into advisories select number + ?, id, feed, cves, aliases, summary, published, vector, urgency, links
       from old.advisories where feed = ?`,
    )
    .run(next, name);
  database
    .prepare(
      `insert into affected select f.ecosystem, f.package, f.advisory + ?, f.ranges, f.versions
       from old.affected f join old.advisories a on a.number = f.advisory where a.feed = ?`,
    )
    .run(next, name);
  if (name === "cisa-kev") database.exec("insert into exploited select * from old.exploited");
  return known as { records: number; updatedAt: number } | undefined;
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

function writerOn(database: DatabaseSync): (feed: string) => Writer {
  const advisory = database.prepare("insert into advisories values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const affected = database.prepare("insert into affected values (?, ?, ?, ?, ?)");
  const exploited = database.prepare("insert or replace into exploited values (?, ?)");
  return (feed) => ({
    advisory(item: Advisory) {
      const { id, cves, aliases, summary, published, vector, urgency, links } = item;
      const lists = [cves, aliases, links].map((list) => JSON.stringify(list)) as [string, string, string];
      const { lastInsertRowid } = advisory.run(
        id,
        feed,
        lists[0],
        lists[1],
        summary,
        published,
        vector,
        urgency,
        lists[2],
      );
      for (const { ecosystem, package: name, ranges, versions } of item.affected) {
        affected.run(ecosystem, name, lastInsertRowid, JSON.stringify(ranges), JSON.stringify(versions));
      }
    },
    exploited(cve, added) {
      exploited.run(cve, added);
    },
  });
}
