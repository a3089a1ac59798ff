/** What goes to the thread of one SQLite connection, and what comes back. */
export type Request =
  | { id: number; kind: "query"; sql: string; parameters: readonly unknown[] }
  | { id: number; kind: "many"; sql: string; rows: readonly (readonly unknown[])[] }
  | { id: number; kind: "script"; sql: string }
  | { id: number; kind: "close" };

export type Reply =
  | { id: number; rows: unknown[]; changes: number }
  | { id: number; error: { message: string; code: number | undefined } };

export interface WorkerOptions {
  path: string;
  mode: "read" | "write";
}
