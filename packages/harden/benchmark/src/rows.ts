import { invalid, type ContentDocument } from "@bulwark/content";
import { z } from "zod";

/** A document with `rows` stands for as many checks: in each, `$(name)` is what its row says of `name`. */
export const rowsDocument = z.looseObject({ rows: z.array(z.record(z.string(), z.unknown())).max(500).optional() });
type RowsDocument = z.infer<typeof rowsDocument>;

/**
 * The checks that documents stand for. What a row says beyond the names that the document uses replaces its fields, so a
 * row may have a reason or a remedy of its own. Raises `ContentError` with the place of what is wrong.
 */
export function expandRows<T>(
  documents: readonly ContentDocument<RowsDocument>[],
  schema: z.ZodType<T>,
): ContentDocument<T>[] {
  return documents.flatMap(({ value: { rows, ...document }, place }) => {
    if (!rows) return [read(document, schema, place)];
    return rows.map((row, index) => {
      const used = new Set<string>();
      const filled = fill(document, row, used) as Record<string, unknown>;
      const own = Object.entries(row).filter(([name]) => !used.has(name));
      const at = (path?: readonly PropertyKey[]): string => place(["rows", index, ...(path ?? [])]);
      return read({ ...filled, ...(fill(Object.fromEntries(own), row, used) as object) }, schema, at);
    });
  });
}

function read<T>(
  value: unknown,
  schema: z.ZodType<T>,
  place: (path?: readonly PropertyKey[]) => string,
): ContentDocument<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data, place };
  const [issue] = parsed.error.issues;
  throw invalid(place(issue?.path), `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not of its kind"}`);
}

/** A text that is nothing but one name becomes what the row has there, a number or a list too. */
function fill(value: unknown, row: Readonly<Record<string, unknown>>, used: Set<string>): unknown {
  if (typeof value === "string") return fillText(value, row, used);
  if (Array.isArray(value)) return value.map((item) => fill(item, row, used));
  if (typeof value !== "object" || value === null) return value;
  const pairs = Object.entries(value).map(
    ([key, item]) => [String(fillText(key, row, used)), fill(item, row, used)] as const,
  );
  return Object.fromEntries(pairs);
}

function fillText(text: string, row: Readonly<Record<string, unknown>>, used: Set<string>): unknown {
  const look = (name: string): unknown => {
    if (!(name in row)) throw new Error(`$(${name}): a row does not say what it is`);
    used.add(name);
    return row[name];
  };
  const whole = /^\$\((\w+)\)$/.exec(text)?.[1];
  if (whole !== undefined) return look(whole);
  return text.replaceAll(/\$\((\w+)\)/g, (_, name: string) => {
    const value = look(name);
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}
