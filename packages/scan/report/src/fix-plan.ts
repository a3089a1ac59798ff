import { compareVersions, versionSchemeOf } from "@bulwark/advisory";
import type { PackageType, Report, ReportedVulnerability } from "@bulwark/model";
import { severityRank } from "@bulwark/model/plain";

/** One thing to do, and what is gone after it. */
export interface FixStep {
  kind: "base-image" | "system" | "dependency";
  /** What to do, in one line. */
  title: string;
  /** What to type, where that can be said. */
  command: string | null;
  upgrades: Upgrade[];
  /** Names of the weaknesses that it removes, the worst first. */
  removes: string[];
  worst: ReportedVulnerability["severity"];
}

/** A package and the first version that has none of the weaknesses that a fix is known for. */
interface Upgrade {
  type: PackageType;
  name: string;
  from: string;
  to: string;
  locations: string[];
}

/** What to do about a report, and what stays. */
export interface FixPlan {
  steps: FixStep[];
  /** Names of the weaknesses for which there is no fix. */
  stays: string[];
}

/**
 * The smallest set of upgrades that removes every undecided vulnerability with a fix: one for each package, to the last
 * of its fixes. What came with the base image is one step and comes first, since a newer base image brings all of it;
 * then what the distribution's package manager does at once; then each dependency, the most urgent first.
 */
export function fixPlanOf(report: Report): FixPlan {
  const open = (report.vulnerabilities ?? []).filter(({ decision }) => decision === null);
  const fixable = open.filter(({ fixedVersion }) => fixedVersion !== null);
  const ofBase = fixable.filter(({ origin }) => origin === "base");
  const others = fixable.filter(({ origin }) => origin !== "base");
  const systems = Map.groupBy(
    others.filter(({ type }) => type in managers),
    ({ type }) => type,
  );
  const dependencies = Map.groupBy(
    others.filter(({ type }) => !(type in managers)),
    (item) => `${item.type} ${item.source} ${item.version}`,
  );
  const steps = [
    ...(ofBase.length === 0 ? [] : [baseStep(ofBase)]),
    ...[...systems].map(([type, items]) => systemStep(type, items)),
    ...[...dependencies.values()].map(dependencyStep).toSorted(compareSteps),
  ];
  const stays = open.filter(({ fixedVersion }) => fixedVersion === null);
  return { steps, stays: namesOf(stays) };
}

/** How a distribution brings packages up to date. */
const managers: Partial<Record<PackageType, (names: string[]) => string>> = {
  deb: (names) => `apt-get update && apt-get install --only-upgrade ${names.join(" ")}`,
  apk: (names) => `apk upgrade --no-cache ${names.join(" ")}`,
  rpm: (names) => `dnf upgrade ${names.join(" ")}`,
};

function baseStep(items: ReportedVulnerability[]): FixStep {
  return {
    kind: "base-image",
    title: "Build anew on a base image that has these packages or later ones",
    command: "docker build --pull --no-cache …",
    upgrades: upgradesOf(items),
    ...effectOf(items),
  };
}

function systemStep(type: PackageType, items: ReportedVulnerability[]): FixStep {
  const names = [...new Set(items.map(({ package: name }) => name))].toSorted();
  // A name that is none would be part of the command.
  const plain = names.every((name) => /^[\w.+-]+$/.test(name) && !name.startsWith("-"));
  return {
    kind: "system",
    title: "Bring packages of the distribution up to date",
    command: plain ? (managers[type]?.(names) ?? null) : null,
    upgrades: upgradesOf(items),
    ...effectOf(items),
  };
}

function dependencyStep(items: ReportedVulnerability[]): FixStep {
  const upgrades = upgradesOf(items);
  const [first] = upgrades;
  return {
    kind: "dependency",
    title: `Update ${first?.name ?? ""} from ${first?.from ?? ""} to ${first?.to ?? ""}`,
    command: null,
    upgrades,
    ...effectOf(items),
  };
}

function upgradesOf(items: ReportedVulnerability[]): Upgrade[] {
  const groups = Map.groupBy(items, ({ type, package: name, version }) => `${type} ${name} ${version}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const scheme = versionSchemeOf(first.type);
    const fixes = group.map(({ fixedVersion }) => fixedVersion).filter((version) => version !== null);
    const to = fixes.toSorted((a, b) => compareVersions(scheme, a, b)).at(-1) ?? "";
    const locations = [...new Set(group.flatMap((item) => item.locations))];
    return [{ type: first.type, name: first.package, from: first.version, to, locations }];
  });
}

function effectOf(items: ReportedVulnerability[]): Pick<FixStep, "removes" | "worst"> {
  const sorted = items.toSorted((a, b) => severityRank(a.severity) - severityRank(b.severity));
  return { removes: namesOf(sorted), worst: sorted[0]?.severity ?? "unknown" };
}

function compareSteps(a: FixStep, b: FixStep): number {
  return severityRank(a.worst) - severityRank(b.worst) || b.removes.length - a.removes.length;
}

function namesOf(items: ReportedVulnerability[]): string[] {
  return [...new Set(items.map(({ id }) => id))];
}
