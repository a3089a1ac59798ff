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
      const parameters = request.parameters as SQLInputValue[];
      if (statement.columns().length > 0) return { id, rows: statement.all(...parameters), changes: 0 };
      return { id, rows: [], changes: Number(statement.run(...parameters).changes) };
    }
    case "many": {
      const statement = prepare(request.sql);
      let changes = 0;
      for (const row of request.rows) changes += Number(statement.run(...(row as SQLInputValue[])).changes);
      return { id, rows: [], changes };
    }
    case "close": {
      statements.clear();
      database?.close();
      return { id, rows: [], changes: 0 };
    }
  }
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
  database = new DatabaseSync(path, { readOnly: mode === "read", timeout: 10_000 });
  // FULL: a commit that was answered survives a power cut. In WAL mode that is one fsync of the log per transaction.
  if (mode === "write") {
    database.exec("pragma auto_vacuum = incremental; pragma journal_mode = wal; pragma synchronous = full");
    database.exec("pragma wal_autocheckpoint = 4000; pragma journal_size_limit = 67108864");
  }
  database.exec("pragma cache_size = -65536; pragma temp_store = memory; pragma mmap_size = 1073741824");
  return database;
}

function asError(error: unknown): { message: string; code: number | undefined } {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) : undefined;
  return { message, code };
}
