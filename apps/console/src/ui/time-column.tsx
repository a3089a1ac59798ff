import type { Column } from "./data-table.tsx";
import { Ago } from "./time.tsx";

/** The last column of most tables: when it was, in words. Null where it was never. */
export function timeColumn<T>(
  header: string,
  timeOf: (row: T) => number | null,
  options: { id?: string; width?: string; from?: number } = {},
): Column<T> {
  return {
    ...{ id: "time", header, width: "100px", align: "end" },
    ...options,
    cell(row) {
      const time = timeOf(row);
      return <span className="dim">{time === null ? "–" : <Ago time={time} />}</span>;
    },
  };
}
