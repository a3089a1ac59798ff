import { mkdir, open, realpath, stat, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CompiledQuery, Kysely, sql } from "kysely";
import { errorText } from "@bulwark/model";
import type { Engine } from "../engine.ts";
import { StoreError } from "../error.ts";
import type { Schema } from "../schema.ts";
import { asScript, ManyRows, threadedSqlite } from "./driver.ts";

const readers = 3;
/** Rows that go to the writer's thread in one message: the server's event loop is free in between. */
const rowsAtOnce = 1000;
const pagesAtOnce = 2000;

/** Opens the file, which is made where it is not there. Raises `StoreError` `in-use` or `unavailable`. */
export async function openSqlite(file: string): Promise<Engine> {
  const path = await prepare(file);
  const lock = lockFile(`${path}.lock`);
  const write = new Kysely<Schema>({ dialect: threadedSqlite({ path, mode: "write" }, 1) });
  try {
    // Hashes of passwords and sessions are in it. SQLite gives the log files the same rights.
    await (await open(path, "a", 0o600)).close();
    // Opens the file before the readers do: they cannot make it.
    await write.executeQuery(CompiledQuery.raw("select count(*) from sqlite_schema"));
  } catch (error) {
    await write.destroy();
    lock.close();
    if (error instanceof StoreError) throw error;
    throw new StoreError("unavailable", `${path}: ${errorText(error)}`, { cause: error });
  }
  const read = new Kysely<Schema>({ dialect: threadedSqlite({ path, mode: "read" }, readers) });

  async function script(text: string): Promise<void> {
    await write.executeQuery(CompiledQuery.raw(text, [asScript]));
  }
  async function pages(): Promise<{ all: number; free: number; size: number }> {
    const { rows } = await sql<{ all: number; free: number; size: number }>`
      select page_count as "all", freelist_count as free, page_size as size
      from pragma_page_count, pragma_freelist_count, pragma_page_size`.execute(write);
    return rows[0] ?? { all: 0, free: 0, size: 0 };
  }
  async function bytes(): Promise<number> {
    const sizes = await Promise.all([path, `${path}-wal`].map((name) => stat(name).catch(() => undefined)));
    return sizes.reduce((sum, found) => sum + (found?.size ?? 0), 0);
  }

  return {
    kind: "sqlite",
    read,
    write,
    async insertMany(tx, table, columns, rows, conflict = "on conflict do nothing") {
      const names = Object.keys(columns);
      const places = names.map(() => "?").join(", ");
      const text = `insert into ${table} (${names.join(", ")}) values (${places}) ${conflict}`;
      for (let at = 0; at < rows.length; at += rowsAtOnce) {
        await tx.executeQuery(CompiledQuery.raw(text, [new ManyRows(rows.slice(at, at + rowsAtOnce))]));
      }
    },
    list: (values) => sql`(select value from json_each(${JSON.stringify(values)}))`,
    // `begin immediate` already lets one writer in at a time, and the lock file one process.
    async lock() {},
    async blockIds(tx, count) {
      const { rows } = await sql<{ last: number }>`update block_counter set last = last + ${count}
        returning last`.execute(tx);
      const last = rows[0]?.last ?? 0;
      return Array.from({ length: count }, (_, index) => last - count + 1 + index);
    },
    async size() {
      const { bavail, bsize } = await statfs(dirname(path));
      return { bytes: await bytes(), free: bavail * bsize };
    },
    async used() {
      const { all, free, size } = await pages();
      return (all - free) * size;
    },
    async shrink() {
      const { free } = await pages();
      if (free > 0) await script(`pragma incremental_vacuum(${pagesAtOnce})`);
      if (free > pagesAtOnce) return true;
      // The file itself becomes shorter, and the log empty, when the log is written back. Whoever reads is waited for, but
      // not for long: the next run does it otherwise.
      await script("pragma busy_timeout = 1000; pragma wal_checkpoint(truncate); pragma busy_timeout = 10000");
      return false;
    },
    async [Symbol.asyncDispose]() {
      await read.destroy();
      await write.destroy();
      if (lock.isOpen) lock.close();
    },
  };
}

/** The folder is made, for this user alone, and links are followed: one file has one lock, whatever it is called by. */
async function prepare(file: string): Promise<string> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    return await realpath(file).catch(async () => join(await realpath(dirname(file)), basename(file)));
  } catch (error) {
    throw new StoreError("unavailable", `the data folder cannot be made: ${errorText(error)}`, {
      remedy: "name another folder with --data",
      cause: error,
    });
  }
}

/**
 * One process may write. The lock is an open transaction on a file of its own: the kernel drops it when the process
 * dies, however it dies, so that a stale one cannot be.
 */
function lockFile(path: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path, { timeout: 0 });
    lock.exec("pragma locking_mode = exclusive; begin exclusive");
    return lock;
  } catch (error) {
    lock?.close();
    const busy = error instanceof Error && "errcode" in error && error.errcode === sqliteBusy;
    if (!busy) throw new StoreError("unavailable", `${path}: ${errorText(error)}`, { cause: error });
    throw new StoreError("in-use", `${dirname(path)} is in use by another Bulwark on this machine`, {
      remedy: "stop that one first, or name another folder with --data",
      cause: error,
    });
  }
}

const sqliteBusy = 5;
