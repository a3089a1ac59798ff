import type { Page } from "@bulwark/model";
import { sql, type RawBuilder, type SqlBool } from "kysely";
import { withoutNul } from "../text.ts";

/** A page from `limit` + 1 rows: the extra one only tells that there is more. */
export function pageOf<R, T>(rows: R[], limit: number, item: (row: R) => T, cursor: (row: R) => string): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(item), next: rows.length > limit && last !== undefined ? cursor(last) : null };
}

/** `(a, b) < (x, y)`: the rows behind a key in the order of these columns, all in one direction. */
export function rowAfter(
  columns: readonly string[],
  direction: "<" | ">" | ">=",
  key: readonly (string | number)[],
): RawBuilder<SqlBool> {
  const left = sql.join(columns.map((column) => sql.ref(column)));
  const right = sql.join(key);
  return sql`(${left}) ${sql.raw(direction)} (${right})`;
}

export function beginsWith(column: string, text: string): RawBuilder<SqlBool> {
  return sql`${sql.ref(column)} like ${`${escaped(withoutNul(text))}%`} escape '\\'`;
}

export function escaped(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}

/** Substring without regard to case of ASCII letters. `search` columns are kept in lower case. */
export function contains(column: string, text: string): RawBuilder<SqlBool> {
  const pattern = `%${escaped(withoutNul(text).toLowerCase())}%`;
  return sql`${sql.ref(column)} like ${pattern} escape '\\'`;
}
