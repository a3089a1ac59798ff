import type { Origin } from "./language/ast.ts";

/** Falco's codes of errors and warnings, so that what is written about them helps here, too. */
export type ErrorCode =
  | "LOAD_ERR_FILE_READ"
  | "LOAD_ERR_YAML_PARSE"
  | "LOAD_ERR_YAML_VALIDATE"
  | "LOAD_ERR_COMPILE_CONDITION"
  | "LOAD_ERR_COMPILE_OUTPUT"
  | "LOAD_ERR_VALIDATE";
type WarningCode =
  | "LOAD_UNKNOWN_SOURCE"
  | "LOAD_UNSAFE_NA_CHECK"
  | "LOAD_NO_EVTTYPE"
  | "LOAD_UNKNOWN_FILTER"
  | "LOAD_UNUSED_MACRO"
  | "LOAD_UNUSED_LIST"
  | "LOAD_UNKNOWN_ITEM"
  | "LOAD_DEPRECATED_ITEM"
  | "LOAD_APPEND_NO_VALUES"
  | "LOAD_COMPILE_CONDITION"
  | "LOAD_UNKNOWN_KEY";

/** Something about a rule file that a person should mend (error) or know (warning). */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly code: ErrorCode | WarningCode;
  readonly message: string;
  /** How to mend it. */
  readonly remedy: string;
  /** `rule "Drop and execute"`; empty for what is of the whole file. */
  readonly item: string;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** The line with a mark below the place. */
  readonly excerpt: string;
}

/** As a terminal shows it; foreign bytes in it are not escaped. */
export function problemText(problem: Problem): string {
  const { file, line, column, severity, code, item, message, remedy, excerpt } = problem;
  const what = item === "" ? message : `${item}: ${message}`;
  return `${file}:${line}:${column}: ${severity} ${code}: ${what}\n${excerpt}\n  mend: ${remedy}`;
}

/** The severity is in the code. */
export function problemAt(
  { file, content, offset }: Origin,
  code: Problem["code"],
  what: Pick<Problem, "message" | "remedy" | "item">,
): Problem {
  const before = content.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  return {
    severity: code.startsWith("LOAD_ERR_") ? "error" : "warning",
    code,
    ...what,
    file,
    line: before.split("\n").length,
    column: [...before.slice(start)].length + 1,
    excerpt: excerptOf(content, start, offset),
  };
}

/** The line of an offset with a mark below it; long lines are cut around the place. */
function excerptOf(content: string, start: number, offset: number): string {
  const found = content.indexOf("\n", offset);
  const line = content.slice(start, found < 0 ? undefined : found).trimEnd();
  const lead = offset - start;
  const from = Math.max(0, lead - 70);
  const cut = from > 0 ? "…" : "";
  return `  | ${cut}${line.slice(from, from + 120)}\n  | ${" ".repeat(lead - from + cut.length)}^`;
}
