import { ecosystemOf } from "../ecosystems.ts";
import { bestVector } from "../cvss.ts";
import { osvRecord, type OsvAffected, type OsvRecord } from "../osv.ts";
import { rangesOf, rangeWith } from "../ranges.ts";
import { isCve, linksKept, plainEntry, summaryLength, type AffectedPackage, type Feed, type Writer } from "./feed.ts";
import { zipEntries } from "./zip.ts";

/** Ecosystems whose packages are found in images, hosts and repositories. */
const ecosystems = [
  "Debian",
  "Ubuntu",
  "Alpine",
  "AlmaLinux",
  "Rocky Linux",
  "Red Hat",
  "SUSE",
  "openSUSE",
  "openEuler",
  "Mageia",
  "Azure Linux",
  "Photon OS",
  "Wolfi",
  "Chainguard",
  "MinimOS",
  "Echo",
  "npm",
  "PyPI",
  "Go",
  "crates.io",
  "Maven",
  "RubyGems",
  "Packagist",
  "NuGet",
  "Pub",
  "Hex",
  "SwiftURL",
  "CRAN",
  "Bioconductor",
  "Hackage",
  "GHC",
  "Bitnami",
  "GitHub Actions",
  "Kubernetes",
];

/** https://google.github.io/osv.dev/data/#data-dumps: one zip for each ecosystem, one JSON for each record. */
export const osv: Feed = {
  files: ecosystems.map((name) => `osv/${name}/all.zip`),
  has: (path) => /^osv\/[^/]+\/all\.zip$/.test(path),
  nameOf: (path) => `osv:${path.split("/")[1] ?? ""}`,
  address: (path) =>
    `https://osv-vulnerabilities.storage.googleapis.com/${path.slice("osv/".length).split("/").map(encodeURIComponent).join("/")}`,
  async load(file, path, writer) {
    let records = 0;
    for await (const { name, text } of zipEntries(file, ".json")) {
      const record = parseOsv(text, `${path}: ${name}`);
      records++;
      if (!record.withdrawn) writeOsv(record, writer);
    }
    if (records === 0) throw new Error(`${path} has no record`);
    return records;
  },
};

function parseOsv(text: string, place: string): OsvRecord {
  const parsed = osvRecord.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`${place}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "no OSV record"}`);
}

export function writeOsv(record: OsvRecord, writer: Writer): void {
  const title = (record.summary ?? record.details ?? "").slice(0, summaryLength);
  writer.advisory({
    id: record.id,
    weaknesses: weaknessesOf(record),
    summary: title,
    published: record.published ?? null,
    vector: vectorOf(record),
    links: (record.references ?? []).slice(0, linksKept).map(({ url }) => url.slice(0, 2048)),
    affected: (record.affected ?? []).flatMap((item) => affectedOf(item, record, title)),
  });
}

/**
 * A record of the weakness itself has it under its aliases; `upstream` and, with distributions that have no `upstream`,
 * `related` are the weaknesses that a notice mends. `DEBIAN-CVE-2024-1` is that distribution's record of the CVE.
 */
function weaknessesOf({ id, aliases, upstream, related, affected }: OsvRecord): string[][] {
  const plain = id.replace(/^[A-Z]+-(?=CVE-)/, "");
  const own = [...new Set([plain, id, ...(aliases ?? [])])].slice(0, 100);
  if (isCve(plain)) return [own];
  const cves = [...new Set([...(aliases ?? []), ...(upstream ?? [])])]
    .map((name) => name.replace(/^[A-Z]+-(?=CVE-)/, ""))
    .filter(isCve);
  const isNotice = affected?.some((item) => /^(deb|apk|rpm)$/.test(schemeOf(item))) === true;
  if (!isNotice) return [own];
  const mended = cves.length > 0 ? cves : (related ?? []).filter(isCve);
  return mended.length === 0 ? [own] : [...new Set(mended)].map((cve) => [cve]);
}

function schemeOf(item: OsvAffected): string {
  return item.package ? ecosystemOf(item.package.ecosystem).scheme : "";
}

function affectedOf(item: OsvAffected, record: OsvRecord, title: string): AffectedPackage[] {
  if (!item.package) return [];
  const { scheme } = ecosystemOf(item.package.ecosystem);
  // Ranges of commits say nothing of versions.
  const ranges = (item.ranges ?? [])
    .filter(({ type }) => type !== "GIT")
    .flatMap((range) => rangesOf(range.events, scheme));
  const versions = (item.versions ?? []).filter((version) => rangeWith(ranges, version, scheme) === undefined);
  if (ranges.length === 0 && versions.length === 0) return [];
  return [
    {
      ...plainEntry,
      ecosystem: item.package.ecosystem,
      package: item.package.name,
      ranges,
      versions,
      urgency: urgencyOf(item, record, title),
      module: moduleOf(item, title),
      binaries: binariesOf(item),
    },
  ];
}

function vectorOf({ severity, affected }: OsvRecord): string | null {
  return bestVector([...(severity ?? []), ...(affected ?? []).flatMap((item) => item.severity ?? [])]);
}

/** Debian's urgency, Ubuntu's priority, the word that notices of Red Hat and those after it begin with, GitHub's rating. */
function urgencyOf(item: OsvAffected, { severity, database_specific }: OsvRecord, title: string): string | null {
  const rated = [...(item.severity ?? []), ...(severity ?? [])].find(({ type }) => type === "Ubuntu")?.score;
  const said = [
    item.ecosystem_specific?.urgency,
    rated,
    /(?:^|: )(Critical|Important|Moderate|Low): /.exec(title)?.[1],
    database_specific?.severity,
  ].find((text) => typeof text === "string");
  return typeof said === "string" ? said.slice(0, 64) : null;
}

/** `rpmmod=nodejs:18` of the package URL, else `nodejs:18 security update` of the title where a fix is a module's build. */
function moduleOf(item: OsvAffected, title: string): string | null {
  const named = /[?&]rpmmod=([^&#]+)/.exec(item.package?.purl ?? "")?.[1];
  if (named !== undefined) return decodeURIComponent(named).split(":").slice(0, 2).join(":");
  const isModular = item.ranges?.some(({ events }) => events.some(({ fixed }) => fixed && isModularBuild(fixed)));
  if (isModular !== true) return null;
  return /(?:^|[\s,])([\w.+-]+:[\w.+-]+)(?=[\s,]|$)/.exec(title)?.[1] ?? "*";
}

/** `16.20.2-3.module+el8.9.0+20821+6f5ba5a1`: the release of an rpm that was built for a module. */
function isModularBuild(version: string): boolean {
  return /[.]module[+_]/.test(version);
}

/** SUSE lists the binary packages of an update: `[{"openssl": "3.0.8-1"}]`. */
function binariesOf(item: OsvAffected): string[] | null {
  const list = item.ecosystem_specific?.binaries;
  if (!Array.isArray(list) || !/^(openSUSE|SUSE)/.test(item.package?.ecosystem ?? "")) return null;
  const names = list.flatMap((entry: unknown) =>
    typeof entry === "object" && entry !== null ? Object.keys(entry) : [],
  );
  return names.length === 0 ? null : names.slice(0, 1000);
}
