import { BrokenRecord, type LogRecord } from "./record.ts";

/** Zeek's tab-separated logs: the head of a file says how the lines after it are to be read. */
export interface Tsv {
  /** A line that begins with `#`. */
  head(line: string): void;
  /** A line of values; raises `BrokenRecord` where the head does not fit. */
  record(line: string): LogRecord;
}

/** docs.zeek.org, "Zeek Log Formats": `#separator`, `#unset_field`, `#empty_field`, `#fields`. */
export function createTsv(): Tsv {
  let separator = "\t";
  let unset = "-";
  let empty = "(empty)";
  let fields: string[] = [];
  return {
    head(line) {
      const written = /^#separator (.+)$/.exec(line)?.[1];
      if (written !== undefined) {
        separator = written.replace(/^\\x([\da-f]{2})$/i, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        );
        return;
      }
      const [key, ...values] = line.split(separator);
      if (key === "#unset_field") unset = values[0] ?? unset;
      if (key === "#empty_field") empty = values[0] ?? empty;
      if (key === "#fields") fields = values.slice(0, 256);
    },
    record(line) {
      if (fields.length === 0) throw new BrokenRecord("neither JSON nor after a #fields line of Zeek");
      const values = line.split(separator);
      if (values.length !== fields.length) {
        throw new BrokenRecord(`${values.length} values for ${fields.length} fields`);
      }
      const record: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
      for (const [index, field] of fields.entries()) {
        const value = values[index];
        record[field] = value === unset || value === empty ? null : value;
      }
      return record;
    },
  };
}
