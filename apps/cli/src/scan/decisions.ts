import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "@bulwark/model";
import { applyExceptions, applyVex, exceptionsFile, knownTo, parseReport, parseVex } from "@bulwark/report";
import { readText } from "../local/read-text.ts";
import type { Input } from "./input.ts";

/** The report with what exceptions decide: those of `--exceptions`, else of the repository or of the folder that we are in. */
export async function withExceptions(report: Report, input: Input, named: string | undefined): Promise<Report> {
  const file = named ?? join(input.kind === "repo" ? input.name : ".", exceptionsFile);
  if (named === undefined && !existsSync(file)) return report;
  const { parseExceptions } = await import("@bulwark/report/exceptions");
  return applyExceptions(report, parseExceptions(readText(file), file));
}

/** The report with what documents of VEX decide. */
export function withVex(report: Report, files: string[]): Report {
  return applyVex(
    report,
    files.map((file) => parseVex(readText(file), file)),
  );
}

/** What the report before knew; undefined where none is named. */
export function knownBefore(file: string | undefined): ReadonlySet<string> | undefined {
  return file === undefined ? undefined : knownTo(parseReport(readText(file), file));
}
