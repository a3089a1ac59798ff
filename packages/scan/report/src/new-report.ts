import { createHash } from "node:crypto";
import { endOfLifeOf } from "@bulwark/inventory/end-of-life";
import { match, unmatched, type AdvisoryDatabase, type DatabaseStatus } from "@bulwark/advisory/lookup";
import type {
  CheckResult,
  ExtractorStatus,
  InstalledPackage,
  Inventory,
  Malware,
  Report,
  ReportedVulnerability,
  Secret,
  Vulnerability,
} from "@bulwark/model";
import { reportVersion, severityRank } from "@bulwark/model/plain";

/** What the parts of a scan found. A part that did not run is absent. */
export interface Findings {
  tool: Report["tool"];
  target: Report["target"];
  inventory: Inventory;
  /** What the packages are held against. */
  advisories?: { database: AdvisoryDatabase; status: DatabaseStatus } | undefined;
  secrets?: Secret[] | undefined;
  malware?: Malware[] | undefined;
  checks?: CheckResult[] | undefined;
  /** How the other parts of the scan got on, besides the extractors of packages. */
  parts?: ExtractorStatus[] | undefined;
  now?: Date;
}

/** Puts together what was found; the worst first. Nothing is decided yet. */
export function newReport(findings: Findings): Report {
  const { inventory, advisories, now = new Date() } = findings;
  return {
    version: reportVersion,
    tool: findings.tool,
    createdAt: now.toISOString(),
    target: findings.target,
    os: inventory.os,
    packages: inventory.packages,
    parts: [...inventory.extractors, ...(findings.parts ?? [])],
    advisories: advisories ? aboutDatabase(advisories.status) : null,
    vulnerabilities: advisories ? vulnerabilitiesOf(inventory, advisories.database) : null,
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
    unknown: advisories ? unknownOf(inventory, advisories.database) : [],
    warnings: warningsOf(inventory, advisories?.status, now),
  };
}

const day = 86_400_000;
/** Advisories are made every day; after a week a scan misses what everybody knows. */
const oldAfter = 7 * day;

function warningsOf({ os }: Inventory, status: DatabaseStatus | undefined, now: Date): string[] {
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
  const age = status === undefined ? 0 : now.getTime() - status.builtAt;
  if (age > oldAfter) warnings.push(`the advisories are ${Math.floor(age / day)} days old: bulwark db update`);
  return warnings;
}

function aboutDatabase({ builtAt, advisories, feeds }: DatabaseStatus): Report["advisories"] {
  const problems = feeds
    .filter(({ error }) => error !== "")
    .map(({ name, error }) => `${name}: ${error}`.slice(0, 2048));
  return { builtAt: new Date(builtAt).toISOString(), count: advisories, problems };
}

function vulnerabilitiesOf(inventory: Inventory, database: AdvisoryDatabase): ReportedVulnerability[] {
  const packages = Map.groupBy(inventory.packages, ({ purl }) => purl);
  return match(inventory, database)
    .map((item) => describe(item, packages.get(item.purl) ?? []))
    .toSorted(compareVulnerabilities);
}

function describe(item: Vulnerability, packages: InstalledPackage[]): ReportedVulnerability {
  const [first] = packages;
  return {
    ...item,
    type: first?.type ?? "binary",
    locations: [...new Set(packages.map(({ location }) => location))].slice(0, 1000),
    layer: first?.layer ?? null,
    step: first?.step ?? null,
    origin: first?.origin ?? null,
    development: packages.every(({ development }) => development),
    decision: null,
    // Without the version: an update that mends nothing brings nothing new.
    fingerprint: fingerprint("vulnerability", item.id, first?.type ?? "", item.package),
  };
}

function compareVulnerabilities(a: Vulnerability, b: Vulnerability): number {
  return (
    Number(b.exploited) - Number(a.exploited) ||
    severityRank(a.severity) - severityRank(b.severity) ||
    (b.cvss?.score ?? 0) - (a.cvss?.score ?? 0) ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : a.purl < b.purl ? -1 : 1)
  );
}

function bySeverity<T extends { severity: Vulnerability["severity"] }>(items: T[] | undefined): T[] | null {
  return items?.toSorted((a, b) => severityRank(a.severity) - severityRank(b.severity)) ?? null;
}

const namesKept = 100;

function unknownOf(inventory: Inventory, database: AdvisoryDatabase): Report["unknown"] {
  return unmatched(inventory, database)
    .slice(0, 100)
    .map(({ unknown, lacking, packages }) => ({
      reason: unknown.slice(0, 1024),
      lacking,
      packages: packages.slice(0, namesKept).map(({ name, version }) => `${name} ${version}`.trim()),
      count: packages.length,
    }));
}

function fingerprint(...parts: string[]): string {
  return createHash("sha256").update(parts.join("\u0000")).digest("hex");
}
