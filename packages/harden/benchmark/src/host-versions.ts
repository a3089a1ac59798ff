import { compileChecks, evaluateChecks, type Check, type Facts } from "@bulwark/check";
import { contentFolder, readContent, readDocuments } from "@bulwark/content";
import type { AdvisoryDatabase } from "@bulwark/advisory/lookup";
import type { BenchmarkReport, HostPrograms } from "@bulwark/model";
import { benchmarkDocument } from "./document.ts";
import { expandRows, rowsDocument } from "./rows.ts";
import { hostParts, judgeVersions, type JudgedVersions } from "./versions.ts";

export type { JudgedVersions } from "./versions.ts";

/** What a database of advisories says of the programs of a host. */
export async function judgePrograms(
  { os, found }: HostPrograms,
  database: AdvisoryDatabase | undefined,
): Promise<JudgedVersions> {
  return judgeVersions(hostParts, found, os, database);
}

/** The facts of a host, with that. */
export async function withVersions(facts: Facts, database: AdvisoryDatabase | undefined): Promise<Facts> {
  const { versions: _, ...missing } = facts.missing ?? {};
  const judged = await judgePrograms(facts.values["programs"] as HostPrograms, database);
  return {
    values: { ...facts.values, versions: judged.versions },
    missing: { ...missing, ...judged.missing },
  };
}

let checks: readonly Check[] | undefined;

/** A host's report, with the checks of versions answered anew; all others are left as they are. */
export function withVersionResults(report: BenchmarkReport, { versions, missing }: JudgedVersions): BenchmarkReport {
  checks ??= compileChecks(
    expandRows(readDocuments(readContent(contentFolder("checks/host/versions")), rowsDocument), benchmarkDocument),
    ["versions"],
  );
  const asked = checks.filter(({ id }) => report.results.some(({ check }) => check === id));
  const ids = new Set(asked.map(({ id }) => id));
  const answers = evaluateChecks(asked, { values: { versions }, missing }, report.subject.name);
  return { ...report, results: [...report.results.filter(({ check }) => !ids.has(check)), ...answers] };
}
