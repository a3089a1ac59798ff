import type { BenchmarkSubject, CheckResult } from "@bulwark/model";
import type { Catalogue, CheckInfo, SetInfo } from "./catalogue.ts";
import type { Item } from "./summary.ts";

export const exportFormats = ["csv", "html", "json"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** One result of one check of one host or cluster, with all that a reader elsewhere needs. */
export interface ExportRow {
  number: string;
  check: string;
  title: string;
  severity: string;
  level: number;
  answers: string;
  subject: string;
  state: string;
  reason: string;
  evidence: string;
  remedy: string;
  /** `attack: T1611; pci-dss: 2.2.6` */
  clauses: string;
}

/** Clauses of other standards that a check is about: its topic's, and its own. */
export function clausesOf({ topics }: Catalogue, check: CheckInfo): Readonly<Record<string, readonly string[]>> {
  const ofTopic = topics.get(check.topic)?.maps ?? {};
  const names = [...new Set([...Object.keys(ofTopic), ...Object.keys(check.maps)])];
  const own: Readonly<Record<string, readonly string[]>> = check.maps;
  const shared: Readonly<Record<string, readonly string[]>> = ofTopic;
  return Object.fromEntries(names.map((name) => [name, [...(shared[name] ?? []), ...(own[name] ?? [])]]));
}

export function exportRows(catalogue: Catalogue, items: readonly Item[], subject: BenchmarkSubject): ExportRow[] {
  return items.flatMap(({ check, number, results }) =>
    results.map((result) => rowOf(catalogue, check, number, result, subject)),
  );
}

function rowOf(
  catalogue: Catalogue,
  check: CheckInfo,
  number: string,
  result: CheckResult,
  subject: BenchmarkSubject,
): ExportRow {
  const clauses = Object.entries(clausesOf(catalogue, check)).map(([name, list]) => `${name}: ${list.join(", ")}`);
  return {
    number,
    check: check.id,
    title: check.title,
    severity: check.severity,
    level: check.level,
    answers: check.answers,
    subject: `${subject.kind} ${subject.name}`,
    state: result.state,
    reason: result.reason,
    evidence: result.evidence.map(({ key, value }) => `${key}: ${value}`).join("; "),
    remedy: check.remedy,
    clauses: clauses.join("; "),
  };
}

/** A set's results as a file; nothing in it is run or followed by what opens it. */
export function exportText(format: ExportFormat, set: SetInfo, rows: readonly ExportRow[]): string {
  if (format === "json") {
    return `${JSON.stringify({ set: set.id, title: set.title, version: set.version, rows }, null, 2)}\n`;
  }
  return format === "csv" ? csv(rows) : html(set, rows);
}

const columns = [
  "number",
  "check",
  "title",
  "severity",
  "level",
  "answers",
  "subject",
  "state",
  "reason",
  "evidence",
  "remedy",
  "clauses",
] as const satisfies (keyof ExportRow)[];

/** RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
function csv(rows: readonly ExportRow[]): string {
  const cell = (value: string | number): string => {
    const text = String(value);
    return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  };
  const lines = rows.map((row) => columns.map((name) => cell(row[name])).join(","));
  return `${[columns.join(","), ...lines].join("\r\n")}\r\n`;
}

const style = `body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color:#1c2530;background:#fff}h1{font-size:1.4rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #d8dee6}
th{position:sticky;top:0;background:#f4f6f9}.fail{color:#a3131f;font-weight:600}.pass{color:#0c6b3a}.unknown{color:#7a4b00}`;

function html(set: SetInfo, rows: readonly ExportRow[]): string {
  const cells = (row: ExportRow): string =>
    columns
      .map(
        (name) => `<td${name === "state" ? ` class="${escaped(row.state)}"` : ""}>${escaped(String(row[name]))}</td>`,
      )
      .join("");
  const counts = ["pass", "fail", "unknown", "not-applicable"].map(
    (state) => `${rows.filter((row) => row.state === state).length} ${state}`,
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escaped(set.title)}</title><style>${style}</style>
<h1>${escaped(`${set.title} ${set.version}`)}</h1><p>${escaped(counts.join(", "))}</p>
<table><thead><tr>${columns.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>
<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join("\n")}</tbody></table></html>
`;
}

function escaped(text: string): string {
  const signs: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (sign) => signs[sign] ?? sign);
}
