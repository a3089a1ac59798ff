import type {
  Decision,
  Report,
  ReportedCheck,
  ReportedMalware,
  ReportedSecret,
  ReportedVulnerability,
  Severity,
} from "@bulwark/model";

/** Anything that a scan found, in the words that all formats share. */
export interface Problem {
  kind: ProblemKind;
  /** CVE, kind of secret, rule of malware, check. */
  rule: string;
  /** What the rule is about, in one line. */
  title: string;
  /** What was seen here, in one line. */
  text: string;
  severity: Severity;
  /** Package and version, or what was looked at. */
  subject: string;
  /** The first of `locations`. */
  location: string;
  locations: string[];
  line: number | null;
  layer: string | null;
  /** Other names of the rule. */
  aliases: string[];
  /** Names of the package: its own, its source's, its package URL. */
  packages: string[];
  /** What to do; empty where nothing is known. */
  remedy: string;
  /** Where to read on. */
  links: string[];
  fingerprint: string;
  decision: Decision | null;
  /** Of vulnerabilities alone. */
  fixedVersion: string | null;
  exploited: boolean;
  epss: number | null;
  score: number | null;
  /** The entry of the report that it is. */
  item: ReportedVulnerability | ReportedSecret | ReportedMalware | ReportedCheck;
}

type ProblemKind = "vulnerability" | "secret" | "malware" | "check";

/** Everything that was found, decided or not; of checks those that do not pass. */
export function problemsOf(report: Report): Problem[] {
  return [...vulnerabilities(report), ...secrets(report), ...malware(report), ...checks(report)];
}

const noVulnerability = {
  aliases: [],
  packages: [],
  links: [],
  fixedVersion: null,
  exploited: false,
  epss: null,
  score: null,
};

function vulnerabilities(report: Report): Problem[] {
  return (report.vulnerabilities ?? []).map((item) => ({
    kind: "vulnerability",
    rule: item.id,
    title: item.summary === "" ? `${item.id} in ${item.package}` : firstLine(item.summary),
    text: `${item.package} ${item.version} has ${item.id}: ${fixText(item)}`,
    severity: item.severity,
    subject: `${item.package} ${item.version}`,
    location: item.locations[0] ?? "",
    locations: item.locations,
    line: null,
    layer: item.layer,
    aliases: item.aliases,
    packages: [item.package, item.source, item.purl],
    remedy: item.fixedVersion === null ? "" : `Update ${item.package} to ${item.fixedVersion} or later.`,
    links: item.references,
    fingerprint: item.fingerprint,
    decision: item.decision,
    item,
    fixedVersion: item.fixedVersion,
    exploited: item.exploited,
    epss: item.epss,
    score: item.cvss?.score ?? null,
  }));
}

const withoutFix = {
  fixed: "a fix is there",
  unfixed: "there is no fix yet",
  "wont-fix": "it will not be fixed",
  "end-of-life": "its release is not maintained any more",
} as const;

/** What is known of a fix, as the end of a sentence. */
export function fixText({
  fixedVersion,
  state,
}: {
  fixedVersion: string | null;
  state: keyof typeof withoutFix;
}): string {
  return fixedVersion === null ? withoutFix[state] : `fixed in ${fixedVersion}`;
}

function secrets(report: Report): Problem[] {
  return (report.secrets ?? []).map((item) => ({
    ...noVulnerability,
    kind: "secret",
    rule: item.kind,
    title: item.title,
    text: `${item.title}: ${item.masked}${item.removed ? ", in a layer although a later one deleted it" : ""}`,
    severity: item.severity,
    subject: item.masked,
    location: item.location,
    locations: [item.location],
    line: item.line,
    layer: item.layer,
    remedy: item.remedy,
    fingerprint: item.fingerprint,
    decision: item.decision,
    item,
  }));
}

function malware(report: Report): Problem[] {
  return (report.malware ?? []).map((item) => ({
    ...noVulnerability,
    kind: "malware",
    rule: item.rule,
    title: item.title,
    text: [item.title, ...item.evidence.slice(0, 3)].join(": "),
    severity: item.severity,
    subject: item.sha256,
    location: item.location,
    locations: [item.location],
    line: null,
    layer: item.layer,
    remedy: item.remedy,
    fingerprint: item.fingerprint,
    decision: item.decision,
    item,
  }));
}

function checks(report: Report): Problem[] {
  return (report.checks ?? [])
    .filter(({ state }) => state === "fail")
    .map((item) => ({
      ...noVulnerability,
      kind: "check",
      rule: item.check,
      title: item.title,
      text: item.reason,
      severity: item.severity,
      subject: item.subject,
      location: item.subject,
      locations: [item.subject],
      line: item.line,
      layer: null,
      remedy: item.remedy,
      fingerprint: item.fingerprint,
      decision: item.decision,
      item,
    }));
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
