import { errorText, report as reportSchema, type Report } from "@bulwark/model";
import { ReportError } from "./error.ts";
import { problemsOf } from "./problems.ts";

/** Reads a report that `--format json` wrote. Raises `ReportError` `bad-report`. */
export function parseReport(text: string, file: string): Report {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw notOurs(`${file}: ${errorText(error)}`, error);
  }
  const parsed = reportSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw notOurs(`${file}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "no report"}`, parsed.error);
}

/** Fingerprints of everything that a report knew of, whatever was decided about it. */
export function knownTo(report: Report): ReadonlySet<string> {
  return new Set(problemsOf(report).map(({ fingerprint }) => fingerprint));
}

function notOurs(message: string, cause: unknown): ReportError {
  return new ReportError("bad-report", message, { remedy: "name a file that bulwark scan --format json wrote", cause });
}
