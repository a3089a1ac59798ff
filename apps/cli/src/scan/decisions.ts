import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "@bulwark/model";
import { applyExceptions, exceptionsFile } from "@bulwark/report";
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
export async function withVex(report: Report, files: string[]): Promise<Report> {
  if (files.length === 0) return report;
  const { applyVex, parseVex } = await import("@bulwark/report/vex");
  return applyVex(
    report,
    files.map((file) => parseVex(readText(file), file)),
  );
}

/** What the report before knew; undefined where none is named. */
export async function knownBefore(file: string | undefined): Promise<ReadonlySet<string> | undefined> {
  if (file === undefined) return undefined;
  const { knownTo, parseReport } = await import("@bulwark/report/baseline");
  return knownTo(parseReport(readText(file), file));
}
