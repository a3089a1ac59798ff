import type { InstalledPackage, Inventory, OperatingSystem, Severity, Vulnerability } from "@bulwark/model";
import { cvssScore, severityOfScore } from "./cvss.ts";
import type { AdvisoryDatabase, Candidate } from "./database.ts";
import type { Range } from "./osv.ts";
import { compareVersions, type VersionScheme } from "./versions/index.ts";

/**
 * The weaknesses of an inventory. Advisories of a distribution are keyed by the source package and its version, and hold
 * for one release only. An advisory that says *not affected* beats any other for the same CVE; the same CVE from several
 * advisories is one vulnerability.
 */
export function match({ os, packages }: Inventory, database: AdvisoryDatabase): Vulnerability[] {
  const found = new Map<string, Vulnerability>();
  for (const item of packages) {
    const release = os && releaseOf(item, os);
    if (!release) continue;
    const candidates = release.ecosystems.flatMap((ecosystem) => database.candidates(ecosystem, item.source.name));
    const cleared = clearedOf(candidates);
    for (const candidate of candidates) {
      const range = affectedBy(candidate, item.source.version, release.scheme);
      if (range === undefined) continue;
      const ids = candidate.cves.length > 0 ? candidate.cves : [candidate.id];
      for (const id of ids.filter((cve) => !cleared.has(cve))) {
        merge(found, toVulnerability(id, item, candidate, range, database), release.scheme);
      }
    }
  }
  return [...found.values()];
}

interface Release {
  scheme: VersionScheme;
  ecosystems: string[];
}

/** Names under which feeds speak of a release. */
function releaseOf({ type }: InstalledPackage, { id, version }: OperatingSystem): Release | undefined {
  if (type === "apk" && id === "alpine") {
    return { scheme: "apk", ecosystems: [`Alpine:${version === "edge" ? "edge" : `v${version}`}`] };
  }
  if (type === "deb" && id === "debian") return { scheme: "deb", ecosystems: [`Debian:${version}`] };
  if (type === "deb" && id === "ubuntu") {
    // Long-term releases are those of April of even years; OSV marks them.
    const names = /^\d[02468]\.04$/.test(version)
      ? [`Ubuntu:${version}:LTS`, `Ubuntu:${version}`]
      : [`Ubuntu:${version}`];
    return { scheme: "deb", ecosystems: names };
  }
  return undefined;
}

/** CVEs that an advisory clears: Alpine lists them as fixed in version 0, which no range holds. */
function clearedOf(candidates: Candidate[]): ReadonlySet<string> {
  const clearing = candidates.filter(({ ranges, versions }) => ranges.length === 0 && versions.length === 0);
  return new Set(clearing.flatMap(({ cves, id }) => (cves.length > 0 ? cves : [id])));
}

/** The range that a version is in; `true` where it is affected by name; undefined where it is not affected. */
function affectedBy({ ranges, versions }: Candidate, version: string, scheme: VersionScheme): Range | true | undefined {
  const inside = ranges.find(({ from, to, closed }) => {
    if (from !== "0" && compareVersions(scheme, version, from) < 0) return false;
    if (to === null) return true;
    const order = compareVersions(scheme, version, to);
    return order < 0 || (closed && order === 0);
  });
  return inside ?? (versions.includes(version) ? true : undefined);
}

function toVulnerability(
  id: string,
  item: InstalledPackage,
  candidate: Candidate,
  range: Range | true,
  database: AdvisoryDatabase,
): Vulnerability {
  const fixedVersion = range === true || range.closed ? null : range.to;
  const vector = candidate.vector ?? database.rating(id) ?? null;
  const score = vector === null ? undefined : cvssScore(vector);
  const others = candidate.cves.length > 1 ? [] : candidate.aliases;
  return {
    id,
    aliases: [...new Set([candidate.id, ...others])].filter((alias) => alias !== id),
    package: item.name,
    source: item.source.name,
    version: item.version,
    purl: item.purl,
    fixedVersion,
    state: fixedVersion === null ? "unfixed" : "fixed",
    severity: severityOf(candidate.urgency, score),
    cvss: vector === null || score === undefined ? null : { score, vector },
    summary: candidate.summary,
    exploited: [id, ...others].some((cve) => database.isExploited(cve)),
    published: candidate.published,
    references: candidate.links,
    feed: candidate.feed,
  };
}

/** What the distribution says of its own build comes before a score for the software as such. */
function severityOf(urgency: string | null, score: number | undefined): Severity {
  if (urgency === "unimportant") return "negligible";
  return score === undefined ? "unknown" : severityOfScore(score);
}

/** Two advisories for one CVE of one package: the later fix is the one that ends it. */
function merge(found: Map<string, Vulnerability>, item: Vulnerability, scheme: VersionScheme): void {
  const key = `${item.id}\u0000${item.purl}`;
  const known = found.get(key);
  if (!known) {
    found.set(key, item);
    return;
  }
  const later =
    item.fixedVersion === null || known.fixedVersion === null
      ? item.fixedVersion === null
      : compareVersions(scheme, item.fixedVersion, known.fixedVersion) > 0;
  const [kept, other] = later ? [item, known] : [known, item];
  found.set(key, {
    ...kept,
    aliases: [...new Set([...kept.aliases, ...other.aliases])],
    references: [...new Set([...kept.references, ...other.references])].slice(0, 100),
    cvss: kept.cvss ?? other.cvss,
    severity: kept.severity === "unknown" ? other.severity : kept.severity,
  });
}
