import {
  locationsKept,
  type ExtractorStatus,
  type FindingKind,
  type ImageReport,
  type InstalledPackage,
  type Vulnerability,
  type Weakness,
} from "@bulwark/model";

/** Of a build step, what is kept with every finding that it brought; the report has it whole. */
const stepShown = 1024;

/** What is weak in an image by its report, and what of it was looked at: what was not must not count as mended. */
export function weaknessesOf(
  report: ImageReport,
  vulnerabilities: readonly Vulnerability[] | undefined,
): { weaknesses: Weakness[]; kinds: Set<FindingKind> } {
  const { secrets, malware, checks, parts, inventory } = report;
  const works = (part: string): boolean =>
    parts.every(({ extractor, state }) => extractor !== part || state !== "failed");
  const kinds = new Set<FindingKind>();
  if (vulnerabilities && !hasFailed(inventory.extractors)) kinds.add("vulnerability");
  if (secrets && works("secrets")) kinds.add("secret");
  if (malware && works("malware")) kinds.add("malware");
  if (checks && works("image-checks")) kinds.add("misconfiguration");
  const weaknesses = [
    ...ofPackages(vulnerabilities ?? [], inventory.packages),
    ...ofSecrets(secrets ?? []),
    ...ofMalware(malware ?? []),
    ...ofChecks(checks ?? []),
  ];
  return { weaknesses: weaknesses.filter(({ kind }) => kinds.has(kind)), kinds };
}

/** Nothing could be read. */
function hasFailed(extractors: readonly ExtractorStatus[]): boolean {
  return extractors.length > 0 && extractors.every(({ state }) => state === "failed");
}

function ofPackages(vulnerabilities: readonly Vulnerability[], packages: readonly InstalledPackage[]): Weakness[] {
  const byPurl = Map.groupBy(packages, ({ purl }) => purl);
  return vulnerabilities.map((vulnerability) => {
    const found = byPurl.get(vulnerability.purl) ?? [];
    return { kind: "vulnerability", ...placeOf(found), vulnerability };
  });
}

/** The same credential is one weakness, in however many files it lies. */
function ofSecrets(secrets: NonNullable<ImageReport["secrets"]>): Weakness[] {
  const same = Map.groupBy(secrets, ({ kind, fingerprint }) => `${kind} ${fingerprint}`);
  return [...same.values()].flatMap((found) => {
    const [secret] = found;
    if (!secret) return [];
    const step = shortened(secret.step);
    return { kind: "secret" as const, ...placeOf(found), secret: { ...secret, step } };
  });
}

/** The same file is one weakness, in however many places it lies. */
function ofMalware(malware: NonNullable<ImageReport["malware"]>): Weakness[] {
  const same = Map.groupBy(malware, ({ rule, sha256 }) => `${rule} ${sha256}`);
  return [...same.values()].flatMap((found) => {
    const [first] = found;
    if (!first) return [];
    const step = shortened(first.step);
    return { kind: "malware" as const, ...placeOf(found), malware: { ...first, step } };
  });
}

function ofChecks(checks: NonNullable<ImageReport["checks"]>): Weakness[] {
  return checks
    .filter(({ state }) => state === "fail")
    .map((misconfiguration) => ({ kind: "misconfiguration", ...placeOf([]), misconfiguration }));
}

interface Placed {
  location: string;
  layer: string | null;
  step: string | null;
  origin?: InstalledPackage["origin"];
}

function placeOf(found: readonly Placed[]): Pick<Weakness, "locations" | "layer" | "step" | "origin"> {
  const [first] = found;
  return {
    locations: [...new Set(found.map(({ location }) => location))].slice(0, locationsKept),
    layer: first?.layer ?? null,
    step: shortened(first?.step ?? null),
    origin: first?.origin ?? null,
  };
}

function shortened(step: string | null): string | null {
  return step === null || step.length <= stepShown ? step : `${step.slice(0, stepShown - 1)}…`;
}
