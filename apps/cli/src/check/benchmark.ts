import { readFileSync, writeFileSync } from "node:fs";
import { styleText } from "node:util";
import {
  evaluateBenchmark,
  exportFormats,
  exportRows,
  exportText,
  loadLibrary,
  summarize,
  type Choice,
  type ExportFormat,
  type ExportRow,
  type Item,
  type SetSummary,
} from "@bulwark/benchmark";
import type { Facts } from "@bulwark/check";
import {
  errorText,
  severities,
  severity,
  severityRank,
  type BenchmarkReport,
  type BenchmarkSubject,
  type CheckState,
} from "@bulwark/model";
import type { Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { jsonText } from "@bulwark/model/plain";
import { printable } from "../local/text.ts";

/** What `check host` and `check cluster` have in common; for `parseArgs`. */
export const benchmarkFlags = {
  set: { type: "string", multiple: true },
  level: { type: "string" },
  skip: { type: "string" },
  all: { type: "boolean" },
  "fail-on": { type: "string" },
  format: { type: "string" },
  "save-facts": { type: "string" },
  facts: { type: "string" },
} as const;

export const benchmarkUsage = `  --set NAME        only this set of checks; may be repeated; --set list names them
  --level 1         without those of level 2
  --skip CHECK,…    not these checks
  --all             show what holds and what is not about this, too
  --fail-on LEVEL   exit code 1 for failures of this severity or worse; any unless said
  --save-facts FILE keep what was looked at, to judge it again elsewhere
  --facts FILE      judge what was kept so, instead of looking
  --format FORMAT   csv, html or json; for people where nothing is said
`;

export interface BenchmarkValues {
  set?: string[] | undefined;
  level?: string | undefined;
  skip?: string | undefined;
  all?: boolean | undefined;
  "fail-on"?: string | undefined;
  format?: string | undefined;
  "save-facts"?: string | undefined;
  facts?: string | undefined;
}

export interface Collected {
  subject: BenchmarkSubject;
  facts: Facts;
  collectedAt: number;
}

/** Reads the flags. Raises `UsageError`. */
function choiceOf(values: BenchmarkValues, kind: BenchmarkSubject["kind"]): Choice {
  const names = loadLibrary().sets.filter(({ of }) => of === kind);
  const wrong = values.set?.find((name) => !names.some(({ id }) => id === name));
  if (wrong !== undefined) {
    throw new UsageError("usage", `--set ${wrong}: no such set`, { remedy: names.map(({ id }) => id).join(", ") });
  }
  if (values.level !== undefined && !["1", "2"].includes(values.level)) {
    throw new UsageError("usage", `--level ${values.level}: no such level`, { remedy: "1 or 2" });
  }
  formatOf(values.format);
  return { sets: values.set && new Set(values.set), level: values.level === "1" ? 1 : 2 };
}

function formatOf(format: string | undefined): ExportFormat | undefined {
  const known = exportFormats.find((one) => one === format);
  if (format === undefined || known !== undefined) return known;
  throw new UsageError("usage", `--format ${format}: no such format`, { remedy: exportFormats.join(", ") });
}

/** Judges, prints, and says how it ended: 1 where something fails, 3 where something could not be looked at. */
export async function runBenchmark(
  values: BenchmarkValues,
  kind: BenchmarkSubject["kind"],
  io: Io,
  collect: (choice: Choice) => Promise<Collected>,
): Promise<number> {
  const choice = choiceOf(values, kind);
  const gate = gateOf(values["fail-on"]);
  const begun = Date.now();
  const { subject, facts, collectedAt } = values.facts === undefined ? await collect(choice) : load(values.facts, kind);
  if (values["save-facts"] !== undefined) {
    writeFileSync(values["save-facts"], JSON.stringify({ subject, collectedAt, facts }), { mode: 0o600 });
  }
  const library = loadLibrary();
  const judged = evaluateBenchmark(library, subject, facts, choice);
  const skipped = new Set(values.skip?.split(","));
  const results = judged.results.filter(({ check }) => !skipped.has(check));
  const report: BenchmarkReport = { ...judged, results, collectedAt, durationMs: Date.now() - begun };
  const summaries = summarize(library, report);
  io.stdout.write(output(formatOf(values.format), report, summaries, values.all === true));

  if (results.some((one) => one.state === "fail" && severityRank(one.severity) <= gate)) return 1;
  return results.some(({ state }) => state === "unknown") ? 3 : 0;
}

function output(
  format: ExportFormat | undefined,
  report: BenchmarkReport,
  summaries: readonly SetSummary[],
  all: boolean,
): string {
  if (format === undefined) return text(report.subject, summaries, all);
  if (format === "json") return jsonText(report);
  const parts = summaries.filter(({ applies }) => applies);
  const rowsOf = ({ items }: SetSummary): ExportRow[] => exportRows(loadLibrary(), items, report.subject);
  return parts.map((part) => exportText(format, part.set, rowsOf(part))).join("\n");
}

function gateOf(level: string | undefined): number {
  if (level === undefined) return severities.length;
  const parsed = severity.safeParse(level);
  if (parsed.success) return severityRank(parsed.data);
  throw new UsageError("usage", `--fail-on ${level}: no such level`, { remedy: severities.join(", ") });
}

function load(path: string, kind: BenchmarkSubject["kind"]): Collected {
  try {
    const kept = JSON.parse(readFileSync(path, "utf8")) as Partial<Collected>;
    if (kept.subject?.kind === kind && kept.facts && typeof kept.collectedAt === "number") return kept as Collected;
    throw new Error(`holds no facts of a ${kind}`);
  } catch (error) {
    throw new UsageError("usage", `--facts ${path}: ${errorText(error)}`, { remedy: "name a file of --save-facts" });
  }
}

const labels: Readonly<Record<CheckState, string>> = {
  fail: styleText("red", "FAIL"),
  unknown: styleText("yellow", "UNKNOWN"),
  pass: styleText("green", "PASS"),
  "not-applicable": styleText("gray", "NOT APPLICABLE"),
};

function text(subject: BenchmarkSubject, summaries: readonly SetSummary[], all: boolean): string {
  const lines = summaries.flatMap((summary) => (summary.applies ? setText(summary, all) : []));
  const others = summaries.filter(({ applies }) => !applies);
  for (const { set, reason } of others) lines.push(styleText("gray", `${set.title}: ${printable(reason)}`));
  return `${subject.kind} ${printable(subject.name)}\n\n${lines.join("\n")}\n`;
}

function setText({ set, items, counts, passRate }: SetSummary, all: boolean): string[] {
  const rate = passRate === null ? "nothing could be judged" : `${Math.floor(passRate * 100)} % hold`;
  const head = `${styleText("bold", `${set.title} ${set.version}`)}: ${rate}`;
  const shown = items.filter(({ state }) => all || state === "fail" || state === "unknown");
  const tail = `${counts.pass} hold, ${counts.fail} fail, ${counts.unknown} unknown, ${counts["not-applicable"]} not applicable`;
  return [head, ...shown.flatMap(itemText), `  ${tail}`, ""];
}

function itemText({ check, number, state, results }: Item): string[] {
  const lines = [`  ${labels[state]} ${number} ${printable(check.title)} (${check.severity}, ${check.id})`];
  const said = results.filter((one) => one.state === state).slice(0, 5);
  for (const { reason } of said) lines.push(`       ${printable(reason)}`);
  const more = results.filter((one) => one.state === state).length - said.length;
  if (more > 0) lines.push(`       and ${more} more`);
  if (state === "fail") lines.push(styleText("gray", `       ${printable(check.remedy)}`));
  return lines;
}
