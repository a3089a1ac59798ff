import { StoreError } from "../error.ts";
import { SqliteError } from "./connection.ts";

/** Result codes: https://sqlite.org/rescode.html */
const codes = { ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 };
/** The WAL's index cannot grow: what a full disk looks like before the log itself is written. */
const sharedMemorySize = codes.ioError | (19 << 8);

/** What SQLite says of its disk, as a `StoreError`; everything else as it is. */
export function explain(error: unknown): unknown {
  if (!(error instanceof SqliteError) || error.code === undefined) return error;
  const primary = error.code & 0xff;
  if (primary === codes.full || error.code === sharedMemorySize) {
    return new StoreError("full", `the database cannot grow: ${error.message}`, {
      remedy: "free space on its disk, or lower retention.size",
      cause: error,
    });
  }
  if (primary === codes.ioError || primary === codes.cannotOpen) {
    return new StoreError("unavailable", `the disk of the database fails: ${error.message}`, {
      remedy: "check the disk and the rights of the data folder",
      cause: error,
    });
  }
  if (primary === codes.corrupt || primary === codes.notADatabase) {
    return new StoreError("unavailable", `the database file is damaged: ${error.message}`, {
      remedy: "restore it from a backup, or name another folder with --data",
      cause: error,
    });
  }
  return error;
}
