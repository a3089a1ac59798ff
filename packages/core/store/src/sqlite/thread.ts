/**
 * The thread of one SQLite connection. `node:sqlite` is synchronous: here it may take its time without stopping the
 * server's event loop.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { Reply, Request, WorkerOptions } from "./messages.ts";

const { path, mode } = workerData as WorkerOptions;
const port = parentPort;
if (!port) throw new Error("thread.ts runs as a worker thread");

const statementsKept = 200;
const statements = new Map<string, StatementSync>();
let database: DatabaseSync | undefined;
/** Between `begin` and its end, as Kysely sees it. */
let inside = false;

port.on("message", (request: Request) => {
  try {
    port.postMessage(handle(request));
  } catch (error) {
    port.postMessage({ id: request.id, error: asError(error) } satisfies Reply);
  }
  if (request.kind === "close") port.close();
});

function handle(request: Request): Reply {
  const { id } = request;
  switch (request.kind) {
    case "query": {
      const statement = prepare(request.sql);
      watchTransaction(request.sql);
      const parameters = request.parameters as SQLInputValue[];
      if (statement.columns().length > 0) return { id, rows: statement.all(...parameters), changes: 0 };
      return { id, rows: [], changes: Number(statement.run(...parameters).changes) };
    }
    case "many": {
      const statement = prepare(request.sql);
      watchTransaction(request.sql);
      let changes = 0;
      for (const row of request.rows) changes += Number(statement.run(...(row as SQLInputValue[])).changes);
      return { id, rows: [], changes };
    }
    // `run` of a statement steps once: of `incremental_vacuum` that would be one page.
    case "script": {
      open().exec(request.sql);
      return { id, rows: [], changes: 0 };
    }
    case "close": {
      statements.clear();
      database?.close();
      return { id, rows: [], changes: 0 };
    }
  }
}

/**
 * A full disk may make SQLite roll back by itself. What follows must then not be written on its own, outside of the
 * transaction that it was meant for.
 */
function watchTransaction(sql: string): void {
  if (sql === "begin immediate") inside = true;
  else if (sql === "commit" || sql === "rollback") inside = false;
  else if (inside && !open().isTransaction) throw new Error("the transaction has been rolled back");
}

function prepare(sql: string): StatementSync {
  const known = statements.get(sql);
  if (known) return known;
  const statement = open().prepare(sql);
  if (statements.size >= statementsKept) {
    const oldest = statements.keys().next().value;
    if (oldest !== undefined) statements.delete(oldest);
  }
  statements.set(sql, statement);
  return statement;
}

function open(): DatabaseSync {
  if (database) return database;
  const opened = new DatabaseSync(path, { readOnly: mode === "read", timeout: 10_000 });
  try {
    // FULL: a commit that was answered survives a power cut. In WAL mode that is one fsync of the log per transaction.
    if (mode === "write") {
      opened.exec("pragma auto_vacuum = incremental; pragma journal_mode = wal; pragma synchronous = full");
      // 64 MiB of log before it is written back: the same pages of the indexes change in every batch.
      opened.exec("pragma wal_autocheckpoint = 16000; pragma journal_size_limit = 67108864");
    }
    // No mmap: a disk that fails would then be a signal that ends the process, not an error.
    opened.exec("pragma cache_size = -65536; pragma temp_store = memory");
  } catch (error) {
    opened.close();
    throw error;
  }
  return (database = opened);
}

function asError(error: unknown): { message: string; code: number | undefined } {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) : undefined;
  return { message, code };
}
