import { endOfLifeOf } from "@bulwark/inventory/end-of-life";
import type { CheckResult, ExtractorStatus, Inventory, Malware, Report, Secret, Vulnerability } from "@bulwark/model";
import { reportVersion, severityRank } from "@bulwark/model/plain";
import { fingerprint } from "./fingerprint.ts";
import type { Matched } from "./matched.ts";

/** What the parts of a scan found. A part that did not run is absent. */
export interface Findings {
  tool: Report["tool"];
  target: Report["target"];
  inventory: Inventory;
  /** What advisories say of the packages. */
  matched?: Matched | undefined;
  secrets?: Secret[] | undefined;
  malware?: Malware[] | undefined;
  checks?: CheckResult[] | undefined;
  /** How the other parts of the scan got on, besides the extractors of packages. */
  parts?: ExtractorStatus[] | undefined;
  now?: Date;
}

/** Puts together what was found; the worst first. Nothing is decided yet. */
export function newReport(findings: Findings): Report {
  const { inventory, matched, now = new Date() } = findings;
  return {
    version: reportVersion,
    tool: findings.tool,
    createdAt: now.toISOString(),
    target: findings.target,
    os: inventory.os,
    packages: inventory.packages,
    parts: [...inventory.extractors, ...(findings.parts ?? [])],
    advisories: matched?.advisories ?? null,
    vulnerabilities: matched?.vulnerabilities ?? null,
    secrets: bySeverity(findings.secrets?.map((item) => ({ ...item, decision: null }))),
    malware: bySeverity(
      findings.malware?.map((item) => ({
        ...item,
        decision: null,
        fingerprint: fingerprint("malware", item.rule, item.sha256, item.location),
      })),
    ),
    checks: bySeverity(
      findings.checks?.map((item) => ({
        ...item,
        decision: null,
        fingerprint: fingerprint("check", item.check, item.subject),
      })),
    ),
    unknown: matched?.unknown ?? [],
    warnings: warningsOf(inventory, matched, now),
  };
}

const day = 86_400_000;
/** Advisories are made every day; after a week a scan misses what everybody knows. */
const oldAfter = 7 * day;

function warningsOf({ os }: Inventory, matched: Matched | undefined, now: Date): string[] {
  const warnings: string[] = [];
  const end = os === null ? undefined : endOfLifeOf(os);
  if (os !== null && end === undefined) {
    warnings.push(`until when ${os.name || os.id} gets security updates is not known here`);
  }
  if (os !== null && end && end.date !== null && Date.parse(end.date) + day < now.getTime()) {
    warnings.push(
      `${os.name} has no free security updates since ${end.date} (${end.source}): what is found late stays`,
    );
  }
  const age = matched === undefined ? 0 : now.getTime() - Date.parse(matched.advisories.builtAt);
  if (age > oldAfter) warnings.push(`the advisories are ${Math.floor(age / day)} days old: bulwark db update`);
  return warnings;
}

function bySeverity<T extends { severity: Vulnerability["severity"] }>(items: T[] | undefined): T[] | null {
  return items?.toSorted((a, b) => severityRank(a.severity) - severityRank(b.severity)) ?? null;
}
