/**
 * The one shape of an error that Bulwark raises on purpose. Each package extends it with its own closed union of
 * codes; everything else that is thrown is a defect.
 *
 * `message` says what went wrong and where; `remedy` says how to mend it. Both are one line for a person.
 */
export class BulwarkError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly remedy: string | undefined;

  constructor(code: Code, message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.remedy = options.remedy;
  }
}

/** The text of anything that was thrown, on one line. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, " ");
}

/** The system's code of a failed call (`ENOENT`, `EADDRINUSE`), where there is one. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return undefined;
}
