import { BulwarkError } from "@bulwark/model/plain";

export type CelErrorCode = "cost" | "evaluation" | "syntax" | "type";

/** An expression that does not parse, does not check, fails, or costs too much. */
export class CelError extends BulwarkError<CelErrorCode> {
  /** Where in the expression, in UTF-16 units from its start; undefined where a function failed by itself. */
  offset: number | undefined;

  constructor(
    code: CelErrorCode,
    message: string,
    offset?: number,
    options: { remedy?: string; cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.offset = offset;
  }
}

/**
 * Raised by functions: the call adds where it is. Without a stack: where in the expression it is says more, and to write
 * one down takes ten times as long, for each element of a list whose fields are not there.
 */
export function failure(message: string, offset?: number): CelError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new CelError("evaluation", message, offset);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Line and column of an offset, counted from 1 in code points, and the line with a mark below, as a terminal shows it. */
export function locate(expression: string, offset: number): { line: number; column: number; excerpt: string } {
  const before = expression.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  const end = expression.indexOf("\n", offset);
  const text = expression.slice(start, end < 0 ? undefined : end);
  const lead = [...expression.slice(start, offset)].length;
  // Long lines: only what is around the place.
  const from = Math.max(0, lead - 60);
  const shown = [...text].slice(from, from + 100).join("");
  const cut = from > 0 ? "…" : "";
  return {
    line: before.split("\n").length,
    column: lead + 1,
    excerpt: `  | ${cut}${shown}\n  | ${" ".repeat(lead - from + cut.length)}^`,
  };
}

/** The error as a person reads it: what, where, and the line of the expression. */
export function formatError(error: CelError, expression: string): string {
  if (error.offset === undefined) return error.message;
  const { line, column, excerpt } = locate(expression, error.offset);
  return `${line}:${column}: ${error.message}\n${excerpt}`;
}
