import type { Kysely } from "kysely";
import type { Schema, Tx } from "./schema.ts";

/** What differs between the two databases. Everything else is written once, in `repositories/`. */
export interface Engine extends AsyncDisposable {
  readonly kind: "sqlite" | "postgresql";
  /** For reading: never blocks a writer. */
  readonly read: Kysely<Schema>;
  /** For writing. */
  readonly write: Kysely<Schema>;
  /** Many rows at once, on the connection of a transaction; rows that hit a unique key are passed over. */
  insertMany(tx: Tx, table: keyof Schema, columns: readonly string[], rows: Value[][]): Promise<void>;
  /** Serialises what must not run twice at a time, in this process and in others, until the transaction ends. */
  lock(tx: Tx, name: "migrate" | "audit"): Promise<void>;
  size(): Promise<{ bytes: number; free: number | null }>;
  /** Gives pages of deleted rows back, where the engine does not do so by itself. */
  shrink(): Promise<void>;
  /** Turns what the engine's driver threw into a `StoreError`, where it is one. */
  explain(error: unknown): unknown;
}

export type Value = string | number | null;
