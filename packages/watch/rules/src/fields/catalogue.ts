import { k8sAuditFields } from "./k8s-audit.ts";
import { syscallFields } from "./syscall.ts";

/** What a field's value is compared as. */
export type FieldType = "text" | "number" | "boolean" | "ip" | "net" | "bytes";

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Several values: `in` wants all of them in the list, `intersects` one. */
  readonly isList: boolean;
  /** One of several values: a comparison holds when it holds of any (`proc.aname` without an index, `fd.ip`). */
  readonly isAny: boolean;
  readonly argument: "none" | "optional" | "required";
  /** With an argument it is one value, without it any of several (`proc.aname`). */
  readonly anyWithoutArgument: boolean;
  /**
   * `process`: the same for all that one process does between two execs, so that what depends on it is worked out once.
   * Credentials are not of that kind.
   */
  readonly scope: "process" | "event";
}

export type Catalogue = ReadonlyMap<string, Field>;

/** One field a line: name, type, then `list`, `any`, `argument`, `optional`, `ancestors`, `process`. */
function catalogue(lines: string): Catalogue {
  const fields = lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line): [string, Field] => {
      const [name = "", type = "", ...flags] = line.split(/\s+/);
      const has = (flag: string): boolean => flags.includes(flag);
      const argument = has("argument") ? "required" : has("optional") || has("ancestors") ? "optional" : "none";
      const field: Field = {
        name,
        type: type as FieldType,
        isList: has("list"),
        isAny: has("any"),
        argument,
        anyWithoutArgument: has("ancestors"),
        scope: has("process") || has("ancestors") ? "process" : "event",
      };
      return [name, Object.freeze(field)];
    });
  return new Map(fields);
}

/** The fields of each source of events. */
export const sources: ReadonlyMap<string, Catalogue> = new Map([
  ["syscall", catalogue(syscallFields)],
  ["k8s_audit", catalogue(k8sAuditFields)],
]);

/** Every field of every source, for people: with what it takes in brackets. */
export function fieldList(): { source: string; name: string; type: string }[] {
  return [...sources].flatMap(([source, fields]) =>
    [...fields.values()].map(({ name, type, isList, argument }) => ({
      source,
      name: `${name}${{ none: "", optional: " or [argument]", required: "[argument]" }[argument]}`,
      type: isList ? `list of ${type}` : type,
    })),
  );
}

/**
 * The field that a name means: itself, or one with the argument behind a dot (`evt.arg.flags`, `k8s.pod.label.app`).
 * Undefined where there is none.
 */
export function findField(fields: Catalogue, name: string): { field: Field; argument?: string } | undefined {
  const whole = fields.get(name);
  if (whole) return { field: whole };
  for (let at = name.lastIndexOf("."); at > 0; at = name.lastIndexOf(".", at - 1)) {
    const field = fields.get(name.slice(0, at));
    if (field && field.argument !== "none") return { field, argument: name.slice(at + 1) };
  }
  return undefined;
}

/** The known names that are nearest to one that is not, for messages. */
export function similarFields(fields: Catalogue, name: string): string[] {
  const last = name.slice(name.lastIndexOf(".") + 1);
  const near = [...fields.keys()]
    .map((known) => ({ known, distance: distance(known, name) }))
    .filter(({ known, distance }) => distance <= 3 || known.endsWith(`.${last}`));
  return near
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ known }) => known);
}

/** Levenshtein's, of short names. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3 || b.length > 80) return 99;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 99;
}
