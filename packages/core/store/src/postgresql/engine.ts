import { Kysely, PostgresDialect, sql } from "kysely";
import { errorText } from "@bulwark/model";
import pg from "pg";
import type { Engine, Value } from "../engine.ts";
import { StoreError } from "../error.ts";
import type { Schema, Tx } from "../schema.ts";

const connections = 10;
const int8 = 20;
/** Keys of pg_advisory_xact_lock: any numbers that nobody else uses. */
const locks = { migrate: 7_262_001, audit: 7_262_002 };

/** Raises `StoreError` `unavailable` where the server does not answer. */
export async function openPostgres(url: string): Promise<Engine> {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 10_000,
    types: { getTypeParser: parserOf },
  });
  // A connection that breaks while it idles is replaced; the next query says what is wrong.
  pool.on("error", () => undefined);
  const database = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  try {
    await sql`select 1`.execute(database);
  } catch (error) {
    await database.destroy();
    throw new StoreError("unavailable", `PostgreSQL does not answer: ${errorText(error)}`, {
      remedy: "check server.database (DATABASE_URL)",
      cause: error,
    });
  }

  return {
    kind: "postgresql",
    read: database,
    write: database,
    insertMany,
    async lock(tx, name) {
      await sql`select pg_advisory_xact_lock(${sql.lit(locks[name])})`.execute(tx);
    },
    async size() {
      const { rows } = await sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(
        database,
      );
      return { bytes: rows[0]?.bytes ?? 0, free: null };
    },
    // Autovacuum makes the space of deleted rows free for new ones.
    async shrink() {},
    explain,
    async [Symbol.asyncDispose]() {
      await database.destroy();
    },
  };
}

/** Every whole number that we keep fits in a double; node-postgres gives int8 as text otherwise. */
const parserOf: typeof pg.types.getTypeParser = (type: number, format?: "text" | "binary") =>
  type === int8 ? Number : pg.types.getTypeParser(type, format);

/** One array for each column: a statement of fixed text, however many rows. */
async function insertMany(tx: Tx, table: keyof Schema, columns: readonly string[], rows: Value[][]): Promise<void> {
  if (rows.length === 0) return;
  const arrays = columns.map((_, column) => {
    const values = rows.map((row) => row[column] ?? null);
    const type = values.some((value) => typeof value === "number") ? sql`bigint[]` : sql`text[]`;
    return sql`${sql.val(values)}::${type}`;
  });
  const names = columns.map((column) => sql.id(column));
  await sql`insert into ${sql.table(table)} (${sql.join(names)})
    select * from unnest(${sql.join(arrays)}) on conflict do nothing`.execute(tx);
}

/** Class 53: insufficient resources; 53100 is disk_full. https://www.postgresql.org/docs/15/errcodes-appendix.html */
function explain(error: unknown): unknown {
  if (error instanceof Error && "code" in error && error.code === "53100") {
    return new StoreError("full", "the disk of PostgreSQL is full", {
      remedy: "free space there, or lower retention.size",
      cause: error,
    });
  }
  return error;
}
