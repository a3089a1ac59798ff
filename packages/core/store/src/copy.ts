import { createHash, randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Columns, Engine, Value } from "./engine.ts";
import { StoreError } from "./error.ts";
import { migrate } from "./migrations/migrate.ts";
import { openPostgres } from "./postgresql/engine.ts";
import { leaseRepository } from "./repositories/leases.ts";
import { settingRepository } from "./repositories/settings.ts";
import type { Schema, Tx } from "./schema.ts";
import { openSqlite } from "./sqlite/engine.ts";
import { withoutNul } from "./text.ts";

export interface CopyOptions {
  /** File of the SQLite database. No server may have it open. */
  from: string;
  /** URL of an empty PostgreSQL database, or of one that an earlier copy of the same file left unfinished. */
  to: string;
  /** Rows of a table that are done of those that there are. */
  onProgress?: (step: { phase: "copy" | "check"; table: string; done: number; rows: number }) => void;
  /** Ends the copy after the rows in hand. Called again it goes on there. */
  signal?: AbortSignal;
}

/** A table on both sides: the same number of rows with the same checksum, or `copyStore` raises. */
export interface CopiedTable {
  table: string;
  rows: number;
  /** Over every value of every row, in any order. */
  checksum: string;
}

interface Table {
  name: keyof Schema;
  columns: Columns;
  key: string[];
}

const rowsAtOnce = 1000;
/** What an engine keeps for itself. */
const own = new Set(["migrations", "block_counter"]);
const identity = "store.id";

/**
 * Copies all that an SQLite store has into PostgreSQL, then reads both and compares them, table by table. What was copied
 * is noted in the transaction that copies it, so a copy that broke off goes on where it was.
 *
 * Raises `StoreError` `in-use` (a server has the file, or runs on the target), `not-empty` and `mismatch`.
 */
export async function copyStore(options: CopyOptions): Promise<CopiedTable[]> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await openSqlite(options.from));
  await migrate(source);
  const target = stack.use(await openPostgres(options.to));
  await migrate(target);
  const tables = await tablesOf(source);
  const id = await settingRepository(source).setOnce(identity, randomUUID());
  await begin(target, tables, id);
  for (const table of tables) await copyTable(source, target, table, options);
  await setSequence(source, target);
  const copied: CopiedTable[] = [];
  for (const table of tables) copied.push(await compare(source, target, table, options));
  await sql`drop table copy_progress`.execute(target.write);
  return copied;
}

/** Asked of the database itself, so that a table that a later migration makes is not forgotten here. */
async function tablesOf(source: Engine): Promise<Table[]> {
  const { rows } = await sql<{ name: string }>`select name from sqlite_schema
    where type = 'table' and name not like 'sqlite~_%' escape '~' order by name`.execute(source.write);
  const names = rows.map(({ name }) => name).filter((name) => !own.has(name));
  const tables: Table[] = [];
  for (const name of names) {
    const { rows: columns } = await sql<{ name: string; type: string; pk: number }>`select name, type, pk
      from pragma_table_info(${name})`.execute(source.write);
    const key = columns.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk);
    tables.push({
      name: name as keyof Schema,
      columns: Object.fromEntries(columns.map((column) => [column.name, kindOf(column.type)])),
      key: key.map((column) => column.name),
    });
  }
  return tables;
}

function kindOf(type: string): Columns[string] {
  const known = { text: "text", bigint: "bigint", integer: "bigint", blob: "blob" } as const;
  const kind = known[type.toLowerCase() as keyof typeof known];
  if (!kind) throw new Error(`a column of the type ${type} cannot be copied`);
  return kind;
}

/** The target is empty, or what an earlier copy of this very store left. */
async function begin(target: Engine, tables: Table[], id: string): Promise<void> {
  await target.write.transaction().execute(async (tx) => {
    await target.lock(tx, "migrate");
    const { rows: there } = await sql`select 1 from pg_tables where schemaname = current_schema()
      and tablename = 'copy_progress'`.execute(tx);
    if (there.length > 0) {
      const { rows } = await sql<{ source: string }>`select source from copy_progress limit 1`.execute(tx);
      if (rows.length === 0 || rows[0]?.source === id) return;
      throw new StoreError("not-empty", "the target holds an unfinished copy of another store", { remedy: emptyOne });
    }
    for (const { name } of tables) {
      const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(tx);
      if (rows.length === 0) continue;
      throw new StoreError("not-empty", `the target is not empty: there is something in ${name}`, { remedy: emptyOne });
    }
    await sql`create table copy_progress (name text primary key, source text not null, last text, rows bigint not null,
      done bigint not null)`.execute(tx);
  });
  // Their own liveness is the servers' to write; the copy brings none that is good.
  const servers = (await leaseRepository(target).list("server/")).filter(({ left }) => left > 0);
  if (servers.length > 0) {
    throw new StoreError("in-use", `a server runs on the target: ${servers[0]?.holder ?? ""}`, {
      remedy: "stop it until the copy is done",
    });
  }
  await sql`insert into copy_progress select name, ${id}, null, 0, 0
    from unnest(${sql.val(tables.map(({ name }) => name))}::text[]) as name on conflict do nothing`.execute(
    target.write,
  );
}

const emptyOne = "name an empty database: createdb bulwark";

async function copyTable(source: Engine, target: Engine, table: Table, options: CopyOptions): Promise<void> {
  const { name, columns } = table;
  const progress = await progressOf(target, name);
  if (progress.done === 1) return;
  const rows = await countOf(source, name);
  let { copied, last } = progress;
  for (;;) {
    options.signal?.throwIfAborted();
    const page = await pageAfter(source, table, last);
    const values = page.map((row) => Object.keys(columns).map((column) => row[column] ?? null));
    last = page.length === 0 ? last : keyOf(table, page.at(-1) ?? {});
    copied += page.length;
    const done = page.length < rowsAtOnce ? 1 : 0;
    await target.write.transaction().execute(async (tx: Tx) => {
      await target.insertMany(tx, name, columns, values, "");
      await sql`update copy_progress set last = ${JSON.stringify(last)}, rows = ${copied}, done = ${done}
        where name = ${name}`.execute(tx);
    });
    options.onProgress?.({ phase: "copy", table: name, done: copied, rows });
    if (done === 1) return;
  }
}

async function progressOf(
  target: Engine,
  name: string,
): Promise<{ copied: number; last: Value[] | null; done: number }> {
  const { rows } = await sql<{ last: string | null; rows: number; done: number }>`
    select last, rows, done from copy_progress where name = ${name}`.execute(target.write);
  const [row] = rows;
  return { copied: row?.rows ?? 0, last: JSON.parse(row?.last ?? "null") as Value[] | null, done: row?.done ?? 0 };
}

/** Event blocks made from now on have numbers that none of the copied ones has. */
async function setSequence(source: Engine, target: Engine): Promise<void> {
  const { rows } = await sql<{ last: number }>`select last from block_counter`.execute(source.write);
  await sql`select setval('event_block_ids', greatest(${rows[0]?.last ?? 0}::bigint,
    (select coalesce(max(id), 0) from event_blocks)) + 1, false)`.execute(target.write);
}

async function compare(source: Engine, target: Engine, table: Table, options: CopyOptions): Promise<CopiedTable> {
  const rows = await countOf(source, table.name);
  const here = await digest(source, table, options, (done) => {
    options.onProgress?.({ phase: "check", table: table.name, done: done / 2, rows });
  });
  const there = await digest(target, table, options, (done) => {
    options.onProgress?.({ phase: "check", table: table.name, done: (rows + done) / 2, rows });
  });
  if (here.rows !== there.rows || here.checksum !== there.checksum) {
    const counts = `${here.rows} rows here, ${there.rows} there`;
    throw new StoreError("mismatch", `${table.name} is not the same on both sides: ${counts}`, {
      remedy: "empty the target and copy again; nothing else may write into it meanwhile",
    });
  }
  return { table: table.name, ...here };
}

/** The sum of the rows' hashes: the engines may sort text each in its own way. */
async function digest(
  engine: Engine,
  table: Table,
  { signal }: CopyOptions,
  onRows: (done: number) => void,
): Promise<{ rows: number; checksum: string }> {
  const names = Object.keys(table.columns);
  let last: Value[] | null = null;
  let rows = 0;
  let total = 0n;
  for (;;) {
    signal?.throwIfAborted();
    const page: Row[] = await pageAfter(engine, table, last);
    for (const row of page) total += hashOf(names.map((name) => row[name] ?? null));
    rows += page.length;
    onRows(rows);
    if (page.length < rowsAtOnce) break;
    last = keyOf(table, page.at(-1) ?? {});
  }
  return { rows, checksum: BigInt.asUintN(128, total).toString(16).padStart(32, "0") };
}

function hashOf(values: Value[]): bigint {
  const hash = createHash("sha256");
  for (const value of values) {
    if (value instanceof Uint8Array) hash.update(`b${value.length}:`).update(value);
    else if (typeof value === "string") hash.update(`s${JSON.stringify(withoutNul(value))}`);
    else hash.update(value === null ? "n" : `i${value}`);
  }
  const bytes = hash.digest();
  return (bytes.readBigUInt64BE(0) << 64n) | bytes.readBigUInt64BE(8);
}

type Row = Record<string, Value>;

async function pageAfter(engine: Engine, { name, key }: Table, last: Value[] | null): Promise<Row[]> {
  const columns = sql.join(key.map((column) => sql.id(column)));
  const behind = last === null ? sql`` : sql`where (${columns}) > (${sql.join(last.map((value) => sql.val(value)))})`;
  const { rows } = await sql<Row>`select * from ${sql.table(name)} ${behind} order by ${columns}
    limit ${sql.lit(rowsAtOnce)}`.execute(engine.write);
  return rows;
}

function keyOf({ key }: Table, row: Row): Value[] {
  return key.map((column) => row[column] ?? null);
}

async function countOf(engine: Engine, name: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(name)}`.execute(engine.write);
  return rows[0]?.count ?? 0;
}
