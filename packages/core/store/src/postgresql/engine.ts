import { sql, Kysely, PostgresAdapter, PostgresDriver, PostgresIntrospector, PostgresQueryCompiler } from "kysely";
import type { Dialect } from "kysely";
import { errorText } from "@bulwark/model";
import pg from "pg";
import type { Columns, Engine, Value } from "../engine.ts";
import { StoreError } from "../error.ts";
import type { Schema, Tx } from "../schema.ts";
import { withoutNul } from "../text.ts";
import { explain } from "./explain.ts";

const connections = 10;
/** Keys of pg_advisory_xact_lock: any numbers that nobody else uses. */
const locks = {
  migrate: 7_262_001,
  audit: 7_262_002,
  findings: 7_262_003,
  images: 7_262_004,
  agents: 7_262_005,
  clusters: 7_262_006,
  benchmark: 7_262_007,
};

/** Raises `StoreError` `unavailable` where the server does not answer. */
export async function openPostgres(url: string): Promise<Engine> {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types: { getTypeParser: parserOf },
  });
  // A connection that breaks while it idles is replaced; the next query says what is wrong.
  pool.on("error", () => undefined);
  // So is one that breaks in use: without a listener that would end the whole process.
  pool.on("connect", (client) => client.on("error", () => undefined));
  const database = new Kysely<Schema>({ dialect: dialectOf(pool) });
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
    list: (values) => sql`(select unnest(${sql.val(values)}::text[]))`,
    async lock(tx: Tx, name: keyof typeof locks, key?: string) {
      if (key === undefined) await sql`select pg_advisory_xact_lock(${sql.lit(locks[name])})`.execute(tx);
      else await sql`select pg_advisory_xact_lock(${sql.lit(locks[name])}, hashtext(${key}))`.execute(tx);
    },
    async blockIds(tx, count) {
      const { rows } = await sql<{ id: number }>`select nextval('event_block_ids') as id
        from generate_series(1, ${sql.lit(count)})`.execute(tx);
      return rows.map(({ id }) => id);
    },
    async size() {
      const { rows } = await sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(
        database,
      );
      return { bytes: rows[0]?.bytes ?? 0, free: null };
    },
    // PostgreSQL keeps the files and uses their space again, so what the events take is counted in the events' table.
    async used() {
      const { rows } = await sql<{ used: number }>`
        select total - tables + least(tables, live) as used from
          (select pg_database_size(current_database()) as total,
            pg_total_relation_size('events') + pg_total_relation_size('event_blocks') as tables) as sizes,
          (select coalesce(sum(bytes), 0)::bigint as live from event_blocks) as counted`.execute(database);
      return rows[0]?.used ?? 0;
    },
    async shrink() {
      await sql`vacuum (skip_locked) events, event_blocks`.execute(database);
      return false;
    },
    async [Symbol.asyncDispose]() {
      await database.destroy();
    },
  };
}

const type = { int8: 20, numeric: 1700 };

/** Every whole number that we keep fits in a double; node-postgres gives int8, and sums of it, as text otherwise. */
const parserOf: typeof pg.types.getTypeParser = (id: number, format?: "text" | "binary") =>
  id === type.int8 || id === type.numeric ? Number : pg.types.getTypeParser(id, format);

function dialectOf(pool: pg.Pool): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PostgresDriver({ pool: explaining(pool) }),
    createIntrospector: (database) => new PostgresIntrospector(database),
    createQueryCompiler: () => new CleaningCompiler(),
  };
}

/** Every text that goes to PostgreSQL as a parameter goes through here. */
class CleaningCompiler extends PostgresQueryCompiler {
  protected override appendValue(parameter: unknown): void {
    super.appendValue(cleaned(parameter));
  }
}

function cleaned(parameter: unknown): unknown {
  if (typeof parameter === "string") return withoutNul(parameter);
  return Array.isArray(parameter) ? parameter.map(cleaned) : parameter;
}

type Pool = Extract<ConstructorParameters<typeof PostgresDriver>[0]["pool"], { connect: unknown }>;

/** The pool, with errors as `StoreError` where they are one. */
function explaining(pool: pg.Pool): Pool {
  return {
    async connect() {
      const client = await pool.connect().catch(raise);
      const query = async (text: string, values: unknown[]): Promise<unknown> =>
        client.query(text, values).catch(raise);
      return { query, release: (broken?: boolean) => client.release(broken) } as Awaited<ReturnType<Pool["connect"]>>;
    },
    end: async () => pool.end(),
    options: pool.options,
  };
}

function raise(error: unknown): never {
  throw explain(error);
}

/** One array for each column: a statement of fixed text, however many rows. */
async function insertMany(
  tx: Tx,
  table: keyof Schema,
  columns: Columns,
  rows: Value[][],
  conflict = "on conflict do nothing",
): Promise<void> {
  if (rows.length === 0) return;
  const names = Object.keys(columns).map((name) => sql.id(name));
  const arrays = Object.values(columns).map((kind, column) => {
    const values = rows.map((row) => row[column] ?? null);
    return sql`${sql.val(values)}::${sql.raw(kind === "blob" ? "bytea" : kind)}[]`;
  });
  await sql`insert into ${sql.table(table)} (${sql.join(names)})
    select * from unnest(${sql.join(arrays)}) ${sql.raw(conflict)}`.execute(tx);
}
