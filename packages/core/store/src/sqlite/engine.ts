import { mkdir, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CompiledQuery, Kysely } from "kysely";
import { errorText } from "@bulwark/model";
import type { Engine } from "../engine.ts";
import { StoreError } from "../error.ts";
import type { Schema } from "../schema.ts";
import { SqliteError } from "./connection.ts";
import { ManyRows, threadedSqlite } from "./driver.ts";

const readers = 2;

/** Opens the file, which is made where it is not there. Raises `StoreError` `in-use` or `unavailable`. */
export async function openSqlite(path: string): Promise<Engine> {
  await mkdir(dirname(path), { recursive: true });
  const lock = lockFile(`${path}.lock`);
  const write = new Kysely<Schema>({ dialect: threadedSqlite({ path, mode: "write" }, 1) });
  // Opens the file before the readers do: they cannot make it.
  await write.executeQuery(CompiledQuery.raw("select 1"));
  const read = new Kysely<Schema>({ dialect: threadedSqlite({ path, mode: "read" }, readers) });

  return {
    kind: "sqlite",
    read,
    write,
    async insertMany(tx, table, columns, rows) {
      const places = columns.map(() => "?").join(", ");
      const sql = `insert into ${table} (${columns.join(", ")}) values (${places}) on conflict do nothing`;
      await tx.executeQuery(CompiledQuery.raw(sql, [new ManyRows(rows)]));
    },
    // `begin immediate` already lets one writer in at a time, and the lock file one process.
    async lock() {},
    async size() {
      const sizes = await Promise.all([path, `${path}-wal`].map((file) => stat(file).catch(() => undefined)));
      const { bavail, bsize } = await statfs(dirname(path));
      return { bytes: sizes.reduce((sum, file) => sum + (file?.size ?? 0), 0), free: bavail * bsize };
    },
    async shrink() {
      await write.executeQuery(CompiledQuery.raw("pragma incremental_vacuum(2000)"));
    },
    explain,
    async [Symbol.asyncDispose]() {
      await read.destroy();
      await write.destroy();
      if (lock.isOpen) lock.close();
    },
  };
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
const sqliteFull = 13;
/** SQLITE_IOERR_WRITE and its like: the disk refused. */
const sqliteIoError = 10;

function explain(error: unknown): unknown {
  if (!(error instanceof SqliteError) || error.code === undefined) return error;
  const primary = error.code & 0xff;
  if (primary === sqliteFull || primary === sqliteIoError) {
    return new StoreError("full", `the database cannot grow: ${error.message}`, {
      remedy: "free space on its disk, or lower retention.size",
      cause: error,
    });
  }
  return error;
}
