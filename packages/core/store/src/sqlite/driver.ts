import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from "kysely";
import { Connection } from "./connection.ts";
import { explain } from "./explain.ts";
import type { WorkerOptions } from "./messages.ts";

/** A Kysely dialect over `size` SQLite connections, each in its own thread. */
export function threadedSqlite(options: WorkerOptions, size: number): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new ThreadedDriver(options, size),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** The one parameter of a statement that is to run once for each of these rows. */
export class ManyRows {
  readonly rows: readonly (readonly unknown[])[];
  constructor(rows: readonly (readonly unknown[])[]) {
    this.rows = rows;
  }
}

/** As the one parameter: the statement is run to its end, its rows are not wanted. */
export const asScript = Symbol("script");

class ThreadedConnection implements DatabaseConnection {
  readonly connection: Connection;
  constructor(connection: Connection) {
    this.connection = connection;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const [parameter] = query.parameters;
    try {
      if (parameter === asScript) {
        await this.connection.script(query.sql);
        return { rows: [] };
      }
      const { rows, changes } = await (parameter instanceof ManyRows
        ? this.connection.many(query.sql, parameter.rows)
        : this.connection.query(query.sql, query.parameters));
      return { rows: rows as R[], numAffectedRows: BigInt(changes) };
    } catch (error) {
      throw explain(error);
    }
  }

  // eslint-disable-next-line require-yield
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("SQLite rows are not streamed; page through them");
  }
}

class ThreadedDriver implements Driver {
  readonly #options: WorkerOptions;
  readonly #size: number;
  #free: ThreadedConnection[] = [];
  #all: ThreadedConnection[] = [];
  readonly #waiting: ((connection: ThreadedConnection) => void)[] = [];

  constructor(options: WorkerOptions, size: number) {
    this.#options = options;
    this.#size = size;
  }

  // Not in the constructor: Kysely destroys a driver only when it was used, and a thread keeps the process alive.
  async init(): Promise<void> {
    this.#all = Array.from({ length: this.#size }, () => new ThreadedConnection(new Connection(this.#options)));
    this.#free = [...this.#all];
  }

  async acquireConnection(): Promise<ThreadedConnection> {
    return this.#free.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  async releaseConnection(connection: ThreadedConnection): Promise<void> {
    const next = this.#waiting.shift();
    if (next) next(connection);
    else this.#free.push(connection);
  }

  async beginTransaction(connection: ThreadedConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  async commitTransaction(connection: ThreadedConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
  }

  async rollbackTransaction({ connection }: ThreadedConnection): Promise<void> {
    // A full disk has already rolled back: then there is no transaction left, and that is what was wanted.
    await connection.query("rollback", []).catch(() => undefined);
  }

  async destroy(): Promise<void> {
    await Promise.all(this.#all.map(({ connection }) => connection.close()));
  }
}
