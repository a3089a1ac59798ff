/** `@bulwark/report/matched`: holding an inventory against advisories, which a scan that knows the answer does not load. */
import { databaseStatus, match, openDatabase, unmatched } from "@bulwark/advisory/lookup";
import type { AdvisoryDatabase, DatabaseStatus } from "@bulwark/advisory/lookup";
import type { InstalledPackage, Inventory, Report, ReportedVulnerability, Vulnerability } from "@bulwark/model";
import { severityRank } from "@bulwark/model/plain";
import { fingerprint } from "./fingerprint.ts";

/** What the advisories of a database say of an inventory: plain data, the same as long as both are the same. */
export interface Matched {
  advisories: NonNullable<Report["advisories"]>;
  /** The worst first. */
  vulnerabilities: ReportedVulnerability[];
  unknown: Report["unknown"];
}

/** Raises `AdvisoryError`. */
export async function matchedIn(inventory: Inventory, file: string): Promise<Matched> {
  using database = openDatabase(file);
  return {
    advisories: aboutDatabase(await databaseStatus(file)),
    vulnerabilities: vulnerabilitiesOf(inventory, database),
    unknown: unknownOf(inventory, database),
  };
}

function aboutDatabase({ builtAt, advisories, feeds }: DatabaseStatus): Matched["advisories"] {
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
