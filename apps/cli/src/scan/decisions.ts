import { existsSync } from "node:fs";
import { join } from "node:path";
import { codeVersion, LayerCache } from "@bulwark/examine";
import type { Report } from "@bulwark/model";
import { applyExceptions, exceptionsFile, type Exceptions } from "@bulwark/report";
import { readText } from "../local/read-text.ts";
import type { Input } from "./input.ts";

/** The report with what exceptions decide: those of `--exceptions`, else of the repository or of the folder that we are in. */
export async function withExceptions(report: Report, input: Input, named: string | undefined): Promise<Report> {
  const file = named ?? join(input.kind === "repo" ? input.name : ".", exceptionsFile);
  if (named === undefined && !existsSync(file)) return report;
  return applyExceptions(report, await exceptionsOf(file));
}

/** As they were understood before: reading YAML and holding it against a schema takes longer than all else of a scan. */
async function exceptionsOf(file: string): Promise<Exceptions> {
  const text = readText(file);
  const cache = new LayerCache();
  const key = ["exceptions", codeVersion([{ package: "@bulwark/report", content: [] }]), file, text];
  const known = cache.conclusion(key);
  if (known) return known as Exceptions;
  const { parseExceptions } = await import("@bulwark/report/exceptions");
  const exceptions = parseExceptions(text, file);
  cache.keepConclusion(key, exceptions);
  return exceptions;
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
