import type { Kysely, RawBuilder } from "kysely";
import type { Schema, Tx } from "./schema.ts";

/**
 * What differs between the two databases. Everything else is written once, in `repositories/`.
 *
 * The drivers themselves turn what a database says into `StoreError` `full` and `unavailable`, for every statement.
 */
export interface Engine extends AsyncDisposable {
  readonly kind: "sqlite" | "postgresql";
  /** For reading: never blocks a writer. */
  readonly read: Kysely<Schema>;
  /** For writing. */
  readonly write: Kysely<Schema>;
  /**
   * Many rows at once, on the connection of a transaction. Rows that hit a unique key are passed over, unless `conflict`
   * says otherwise: `on conflict (…) do update set …`. One key must then not be twice among the rows.
   */
  insertMany(tx: Tx, table: keyof Schema, columns: Columns, rows: Value[][], conflict?: string): Promise<void>;
  /** `in` and `not in` over any number of values, as one parameter. */
  list(values: readonly string[]): RawBuilder<string>;
  /** Serialises what must not run twice at a time, in this process and in others, until the transaction ends. */
  lock(tx: Tx, name: "migrate" | "audit"): Promise<void>;
  lock(tx: Tx, name: "findings" | "images" | "agents" | "clusters" | "benchmark", key: string): Promise<void>;
  /** Numbers for new event blocks, each larger than all that were given before. */
  blockIds(tx: Tx, count: number): Promise<number[]>;
  /** Bytes on disk, and what is free there. */
  size(): Promise<{ bytes: number; free: number | null }>;
  /** Bytes on disk that hold something: without what deleted rows have left free. */
  used(): Promise<number>;
  /** Makes the space of deleted rows usable again, a bounded piece of work at a time; false when there is no more. */
  shrink(): Promise<boolean>;
}

export type Value = string | number | null | Uint8Array;
/** Name of each column and its type. */
export type Columns = Readonly<Record<string, "text" | "bigint" | "blob">>;
