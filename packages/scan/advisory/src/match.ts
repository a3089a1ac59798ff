import type { InstalledPackage, Inventory, Severity, Vulnerability } from "@bulwark/model";
import type { AdvisoryDatabase, AdvisoryText, Entry, Rating } from "./database.ts";
import { isCve } from "./feeds/feed.ts";
import { grouped } from "./grouped.ts";
import { isOfSystem, targetOf, type NoTarget, type Target } from "./packages.ts";
import { rangeWith, type Range } from "./ranges.ts";
import { remembering } from "./remembering.ts";
import { severityOfScore, severityOfWord } from "./severity-of.ts";
import { compareVersions, type VersionScheme } from "./versions/index.ts";

/**
 * The weaknesses of an inventory. A distribution's advisories hold for its own packages and one release; a file that a
 * distribution's package owns is not held against those of a language, since the distribution mends without a new version.
 * *Not affected* beats whatever else is said of the same weakness; whatever says the same under another name is one.
 */
export function match({ os, packages }: Inventory, asked: AdvisoryDatabase): Vulnerability[] {
  const database = remembering(asked);
  const found = new Map<string, Vulnerability>();
  const known = new Set<string>();
  const answered = packages.some(
    (item) => isOfSystem(item.type) && !("unknown" in targetOf(item, os, database.ecosystems)),
  );
  for (const item of packages) {
    // Where nothing is known of the distribution, nobody answers for what it owns.
    if (item.ownedBy !== null && answered && !isOfSystem(item.type)) continue;
    // Of the same package in another place there is nothing else to say: a tree of npm has many of them.
    const { type, name, version, source, module, purl } = item;
    const identity = [type, name, version, source.name, source.version, module, purl].join("\u0000");
    if (purl !== "" && known.has(identity)) continue;
    known.add(identity);
    const target = targetOf(item, os, database.ecosystems);
    if ("unknown" in target) continue;
    for (const vulnerability of weaknessesOf(item, target, database)) {
      const key = `${vulnerability.id}\u0000${item.purl}\u0000${item.purl === "" ? item.location : ""}`;
      if (!found.has(key)) found.set(key, vulnerability);
    }
  }
  return [...found.values()];
}

/** Packages of which nobody can say whether they have a weakness, for one reason. */
export interface Unmatched extends NoTarget {
  packages: InstalledPackage[];
}

export function unmatched({ os, packages }: Inventory, database: AdvisoryDatabase): Unmatched[] {
  const reasons = new Map<string, Unmatched>();
  for (const item of packages) {
    const target = targetOf(item, os, database.ecosystems);
    if (!("unknown" in target)) continue;
    const known = reasons.get(target.unknown) ?? { ...target, packages: [] };
    known.packages.push(item);
    reasons.set(target.unknown, known);
  }
  return [...reasons.values()];
}

/** What one advisory says of one weakness of the package. */
interface Claim {
  /** Every name of the weakness. */
  names: string[];
  tier: number;
  entry: Entry;
  text: AdvisoryText;
  /** The range that the version is in; `true` where it is affected by name; undefined where it is not. */
  hit: Range | true | undefined;
}

function weaknessesOf(item: InstalledPackage, target: Target, database: AdvisoryDatabase): Vulnerability[] {
  const claims = claimsOf(item, target, database);
  if (!claims.some(({ hit }) => hit !== undefined)) return [];
  return grouped(claims, ({ names }) => names).flatMap((group) => {
    const top = Math.min(...group.map(({ tier }) => tier));
    const deciding = group.filter(({ tier }) => tier === top);
    if (deciding.some(({ entry }) => entry.status === "not-affected")) return [];
    const hits = deciding.filter(({ hit }) => hit !== undefined);
    return hits.length === 0 ? [] : [toVulnerability(item, hits, target.scheme, database)];
  });
}

function claimsOf(item: InstalledPackage, target: Target, database: AdvisoryDatabase): Claim[] {
  const { tiers, name, version, scheme } = target;
  return tiers.flatMap((ecosystems, tier) =>
    ecosystems.flatMap((ecosystem) =>
      database.affected(ecosystem, name).flatMap((entry) => {
        if (!isMeant(item, entry)) return [];
        const hit = rangeWith(entry.ranges, version, scheme) ?? (entry.versions.includes(version) ? true : undefined);
        // Of one that does not hit, only a higher tier and a clear word count.
        if (hit === undefined && entry.status !== "not-affected" && tiers.length === 1) return [];
        const text = database.advisory(entry.advisory);
        return text.weaknesses.map((names) => ({ names, tier, entry, text, hit }));
      }),
    ),
  );
}

/** Modules are separate worlds: an rpm of one is meant by advisories for that stream alone, any other rpm by those for none. */
function isMeant(item: InstalledPackage, { module, binaries }: Entry): boolean {
  if (binaries !== null && !binaries.includes(item.name)) return false;
  if (item.type !== "rpm") return true;
  const label = item.module?.split(":").slice(0, 2).join(":") ?? null;
  if (module === null || label === null) return module === null && label === null;
  return module === "*" || module === label;
}

function toVulnerability(
  item: InstalledPackage,
  hits: Claim[],
  scheme: VersionScheme,
  database: AdvisoryDatabase,
): Vulnerability {
  const names = [...new Set(hits.flatMap((hit) => hit.names))];
  const id = idOf(names);
  // The record of the weakness itself tells more than a notice that mends many.
  const byDetail = hits.toSorted((a, b) => a.text.weaknesses.length - b.text.weaknesses.length);
  const cvss = ratingOf(byDetail, names, database);
  const fixedVersion = fixOf(hits, scheme);
  return {
    id,
    aliases: [...new Set([...names, ...hits.map(({ text }) => text.id)])].filter((name) => name !== id).slice(0, 200),
    package: item.name,
    source: item.source.name,
    version: item.version,
    purl: item.purl,
    fixedVersion,
    state: fixedVersion === null ? stateWithoutFix(hits) : "fixed",
    severity: severityOf(byDetail, cvss),
    cvss,
    summary: byDetail.find(({ text }) => text.summary !== "")?.text.summary ?? "",
    exploited: names.some((name) => database.isExploited(name)),
    epss: highest(names.map((name) => database.epss(name))),
    published: byDetail.find(({ text }) => text.published !== null)?.text.published ?? null,
    references: [...new Set(byDetail.flatMap(({ text }) => text.links))].slice(0, 100),
    feed: byDetail[0]?.text.feed ?? "",
  };
}

/** The CVE where there is one, of several the first; else the name that is best known. */
function idOf(names: string[]): string {
  const rank = (name: string): number => (isCve(name) ? 0 : name.startsWith("GHSA-") ? 1 : 2);
  return names.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))[0] ?? "";
}

/** The version at which the last of them ends; null where one of them has no end. */
function fixOf(hits: Claim[], scheme: VersionScheme): string | null {
  const ranges = hits.map(({ hit }) => hit).filter((hit): hit is Range => hit !== true && hit !== undefined);
  if (ranges.some(({ to }) => to === null)) return null;
  const fixes = ranges.filter(({ closed }) => !closed).map(({ to }) => to);
  return (
    fixes
      .filter((fix) => fix !== null)
      .toSorted((a, b) => compareVersions(scheme, a, b))
      .at(-1) ?? null
  );
}

function stateWithoutFix(hits: Claim[]): Vulnerability["state"] {
  if (hits.some(({ entry }) => entry.status === "end-of-life")) return "end-of-life";
  return hits.some(({ entry }) => entry.status === "wont-fix") ? "wont-fix" : "unfixed";
}

/** What the advisory itself says, else what any feed says of the CVE. */
function ratingOf(hits: Claim[], names: string[], database: AdvisoryDatabase): Rating | null {
  const own = hits.find(({ text }) => text.cvss !== null && text.weaknesses.length === 1)?.text.cvss;
  if (own) return own;
  for (const name of names) {
    const rating = database.rating(name);
    if (rating) return { vector: rating.vector, score: rating.score };
  }
  return hits.find(({ text }) => text.cvss !== null)?.text.cvss ?? null;
}

/** What a distribution says of its own build comes before a score for the software as such; elsewhere the score is finer. */
function severityOf(hits: Claim[], cvss: Rating | null): Severity {
  const words = hits.map(({ entry }) => (entry.urgency === null ? undefined : severityOfWord(entry.urgency)));
  const word = words.find((severity) => severity !== undefined);
  if (word !== undefined && hits.some(({ text }) => isDistribution(text.feed))) return word;
  return cvss === null ? (word ?? "unknown") : severityOfScore(cvss.score);
}

function isDistribution(feed: string): boolean {
  return /^(debian-tracker|osv:(Debian|Ubuntu|Echo|AlmaLinux|Rocky Linux|Red Hat|SUSE|openSUSE|openEuler|Mageia))$/.test(
    feed,
  );
}

function highest(numbers: (number | undefined)[]): number | null {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? null : Math.max(...known);
}
