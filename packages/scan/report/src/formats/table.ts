import { styleText } from "node:util";
import type { Report, Severity } from "@bulwark/model";
import { severities } from "@bulwark/model/plain";
import { fixText, problemsOf, type Problem } from "../problems.ts";
import type { WriteOptions } from "./format.ts";
import { cut, width, wrap } from "./lines.ts";

/** For people, at 80 columns: vulnerabilities by package, what else was found by place, then what could not be told. */
export function writeTable(report: Report, options: WriteOptions): string {
  const paint = painter(options.colour === true);
  const open = problemsOf(report).filter(({ decision }) => decision === null);
  const of = (kind: Problem["kind"]): Problem[] => open.filter((problem) => problem.kind === kind);
  const parts = [
    head(report, paint),
    options.packages === true ? packages(report) : "",
    vulnerabilities(of("vulnerability"), options, paint),
    placed("Secrets", of("secret"), options, paint),
    placed("Malware", of("malware"), options, paint),
    placed("Configuration", of("check"), options, paint),
    policies(report, paint),
    unknown(report, paint),
    unread(report, paint),
    section(
      "Warnings",
      report.warnings.map((text) => wrap(text, "  ")),
      paint,
    ),
    totals(report, open, options),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

function painter(colour: boolean): Paint {
  return (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
}

const colours = {
  critical: "red",
  high: "red",
  medium: "yellow",
  low: "blue",
  negligible: "gray",
  unknown: "gray",
} as const;

function head({ target, os, packages: list, advisories }: Report, paint: Paint): string {
  const lines = [paint("bold", cut(target.name, width))];
  if (target.digest !== null) lines.push(cut(target.digest, width));
  const platform = target.platform === null ? "" : `, ${target.platform}`;
  lines.push(cut(`${os?.name ?? "no distribution known"}${platform}, ${list.length} packages`, width));
  if (advisories) lines.push(`advisories of ${advisories.builtAt.slice(0, 16).replace("T", " ")}`);
  return lines.join("\n");
}

function packages({ packages: list }: Report): string {
  return list.map(({ name, version, type }) => `  ${pad(name, 38)} ${pad(version, 28)} ${type}`).join("\n");
}

function vulnerabilities(problems: Problem[], { fresh }: WriteOptions, paint: Paint): string {
  const groups = Map.groupBy(problems, ({ item, rule }) =>
    "source" in item ? `${item.type} ${item.source} ${item.version}` : rule,
  );
  const lines: string[] = [];
  for (const items of groups.values()) {
    lines.push(packageLine(items), ...placesOf(items));
    // The binary packages of one source have it together.
    for (const one of new Map(items.map((problem) => [problem.rule, problem])).values()) {
      lines.push(problemLine(one, `${one.rule.padEnd(16)} ${marks(one)}`, one.title, fresh, paint));
    }
  }
  return section("Vulnerabilities", lines, paint);
}

function packageLine(items: Problem[]): string {
  const [first] = items;
  if (!first || !("source" in first.item)) return "";
  const { source, version, origin } = first.item;
  const fixes = [...new Set(items.map(({ item }) => ("state" in item && "fixedVersion" in item ? fixText(item) : "")))];
  const names = [...new Set(items.map(({ item }) => ("package" in item ? item.package : "")))].filter(
    (name) => name !== source,
  );
  const others = names.length === 0 ? "" : ` (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""})`;
  const base = origin === "base" ? ", base image" : origin === "container" ? ", came at run time" : "";
  const fix = fixes.length === 1 ? (fixes[0] ?? "") : "several fixes";
  const left = cut(`${source} ${version}${others}${base}`, width - Math.min(fix.length, 30) - 2);
  return `${left}  ${cut(fix, 30)}`;
}

/** Packages of a distribution are all in one place; for others it says whose they are. */
function placesOf(items: Problem[]): string[] {
  const [first] = items;
  if (!first || !("type" in first.item) || /^(deb|apk|rpm|alpm)$/.test(first.item.type)) return [];
  const [place, ...others] = new Set(items.flatMap(({ locations }) => locations));
  if (place === undefined || place === "") return [];
  return [`  ${cut(place, width - 20)}${others.length === 0 ? "" : ` and ${others.length} more`}`];
}

function marks({ exploited, epss }: Problem): string {
  const likely = epss !== null && epss >= 0.01 ? `epss ${Math.round(epss * 100)}% ` : "";
  return `${exploited ? "exploited " : ""}${likely}`;
}

function placed(title: string, problems: Problem[], { fresh }: WriteOptions, paint: Paint): string {
  const groups = Map.groupBy(problems, ({ location, line }) => (line === null ? location : `${location}:${line}`));
  const lines = [...groups].flatMap(([place, items]) => [
    cut(place, width),
    ...items.flatMap((one) => [
      problemLine(one, `${one.rule} `, one.text, fresh, paint),
      ...(one.remedy === "" ? [] : [wrap(one.remedy, "             ")]),
    ]),
  ]);
  return section(title, lines, paint);
}

function problemLine(
  problem: Problem,
  label: string,
  text: string,
  fresh: ReadonlySet<Problem["item"]> | undefined,
  paint: Paint,
): string {
  const severity = paint(colours[problem.severity], problem.severity.padEnd(10));
  const isNew = fresh?.has(problem.item) === true ? "new " : "";
  const rest = `${label}${isNew}${text}`;
  // A title may be cut, what was seen may not.
  const lines = problem.kind === "vulnerability" ? cut(rest, width - 13) : wrap(rest, " ".repeat(13)).trimStart();
  return `  ${severity} ${lines}`;
}

function policies({ policies: list }: Report, paint: Paint): string {
  if (!list) return "";
  const lines = list.flatMap(({ policy, verdict, messages }) => [
    `  ${paint(verdict === "allowed" ? "green" : verdict === "denied" ? "red" : "yellow", verdict.padEnd(9))}${cut(policy, width - 11)}`,
    ...messages.map((text) => wrap(text, "    ")),
  ]);
  return section("Policies", lines.length === 0 ? ["  none of them is about this image"] : lines, paint);
}

function unknown({ unknown: list, vulnerabilities: found }: Report, paint: Paint): string {
  const lines = list.flatMap(({ reason, packages: names, count }) => [
    wrap(`${count} packages: ${reason}`, "  "),
    wrap(`${names.slice(0, 8).join(", ")}${count > 8 ? ", …" : ""}`, "    "),
  ]);
  if (found === null) lines.unshift("  vulnerabilities: there is no advisory database; bulwark db update");
  return section("Nobody can tell", lines, paint);
}

function unread({ parts }: Report, paint: Paint): string {
  const lines = parts
    .filter(({ state }) => state !== "done")
    .flatMap(({ extractor, state, errors }) => [
      `  ${cut(`${extractor}: ${state}`, width - 2)}`,
      ...errors.slice(0, 5).map(({ path, message }) => wrap(`${path}: ${message}`, "    ")),
      ...(errors.length > 5 ? [`    and ${errors.length - 5} more`] : []),
    ]);
  return section("Could not be read", lines, paint);
}

function totals(report: Report, open: Problem[], { fresh }: WriteOptions): string {
  const kinds = [
    ["vulnerability", "vulnerabilities", report.vulnerabilities],
    ["secret", "secrets", report.secrets],
    ["malware", "malicious files", report.malware],
    ["check", "failed checks", report.checks],
  ] as const;
  const lines = kinds.flatMap(([kind, name, list]) => {
    if (list === null) return [];
    const found = open.filter((problem) => problem.kind === kind);
    const among = kind === "vulnerability" ? judged(report) : "";
    return [found.length === 0 ? `No ${name}${among}.` : `${found.length} ${name}${among}: ${counts(found)}.`];
  });
  const decided = problemsOf(report).length - open.length;
  if (decided > 0) lines.push(`${decided} more are decided upon by exceptions or VEX.`);
  if (fresh) lines.push(`${open.filter(({ item }) => fresh.has(item)).length} are new.`);
  return lines.map((line) => wrap(line, "")).join("\n");
}

/** Nothing found in what nobody can judge is no clean result. */
function judged({ packages: all, unknown: list }: Report): string {
  const without = list.reduce((sum, { count }) => sum + count, 0);
  return without === 0 ? "" : ` in the ${all.length - without} of ${all.length} packages that can be judged`;
}

function counts(problems: Problem[]): string {
  const count = (level: Severity): number => problems.filter(({ severity }) => severity === level).length;
  return severities
    .map((level) => [level, count(level)] as const)
    .filter(([, number]) => number > 0)
    .map(([level, number]) => `${number} ${level}`)
    .join(", ");
}

function section(title: string, lines: string[], paint: Paint): string {
  return lines.length === 0 ? "" : [paint("bold", title), ...lines].join("\n");
}

function pad(text: string, most: number): string {
  return cut(text, most).padEnd(most);
}
