import type { Report } from "@bulwark/model";
import { severities } from "@bulwark/model/plain";
import { problemsOf, type Problem } from "../problems.ts";
import { xml } from "./markup.ts";

/** One file that needs nothing else: no script, no address is loaded. */
export function writeHtml(report: Report): string {
  const problems = problemsOf(report);
  const open = problems.filter(({ decision }) => decision === null);
  const title = `Scan of ${report.target.name}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${xml(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${xml(title)}</h1>
${about(report)}
<p>${severities.map((level) => badge(level, open.filter(({ severity }) => severity === level).length)).join(" ")}</p>
${section("Vulnerabilities", open, "vulnerability", report.vulnerabilities === null)}
${section("Secrets", open, "secret", report.secrets === null)}
${section("Malware", open, "malware", report.malware === null)}
${section("Configuration", open, "check", report.checks === null)}
${decided(problems.filter(({ decision }) => decision !== null))}
${list(
  "Nobody can tell",
  report.unknown.map(
    ({ count, reason, packages }) => `${count} packages: ${reason}: ${packages.slice(0, 20).join(", ")}`,
  ),
)}
${list("Could not be read", unread(report))}
${list("Warnings", report.warnings)}
</body>
</html>
`;
}

const style = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { max-width: 75rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8884; }
.level { border-radius: .3rem; padding: 0 .4rem; white-space: nowrap; color: #fff; background: #666; }
.critical { background: #8b1a1a; } .high { background: #b4431a; } .medium { background: #8a6100; } .low { background: #2b5f96; }
.note { opacity: .75; }
`;

function about({ target, os, packages, createdAt, tool, advisories }: Report): string {
  const rows: [string, string][] = [
    ["Kind", target.kind],
    ...(target.digest === null ? [] : [["Digest", target.digest] as [string, string]]),
    ...(target.platform === null ? [] : [["Platform", target.platform] as [string, string]]),
    ["Distribution", os?.name ?? "not known"],
    ["Packages", String(packages.length)],
    ["Scanned", `${createdAt} by ${tool.name} ${tool.version}`],
    ["Advisories", advisories === null ? "none" : `${advisories.count}, of ${advisories.builtAt}`],
  ];
  return `<dl>${rows.map(([name, value]) => `<dt>${xml(name)}</dt><dd>${xml(value)}</dd>`).join("")}</dl>`;
}

function badge(level: Problem["severity"], count: number): string {
  return count === 0 ? "" : `<span class="level ${level}">${count} ${level}</span>`;
}

function section(title: string, open: Problem[], kind: Problem["kind"], notLooked: boolean): string {
  const problems = open.filter((problem) => problem.kind === kind);
  if (notLooked) return `<h2>${title}</h2><p class="note">Not looked for.</p>`;
  if (problems.length === 0) return `<h2>${title}</h2><p class="note">None.</p>`;
  return `<h2>${title} (${problems.length})</h2>
<table><thead><tr><th>Severity</th><th>What</th><th>Where</th><th>Remedy</th></tr></thead><tbody>
${problems.map(row).join("\n")}
</tbody></table>`;
}

function row(problem: Problem): string {
  const { severity, rule, title, text, location, line, remedy, exploited, epss, kind, subject } = problem;
  const marks = [
    ...(exploited ? ["known to be exploited"] : []),
    ...(epss === null ? [] : [`EPSS ${(epss * 100).toFixed(1)} %`]),
  ].join(", ");
  const what = kind === "vulnerability" ? title : text;
  const where =
    kind === "vulnerability"
      ? `${xml(subject)}<br><span class="note">${xml(location)}</span>`
      : xml(line === null ? location : `${location}:${line}`);
  return `<tr><td><span class="level ${severity}">${severity}</span></td><td><b>${xml(rule)}</b> ${xml(marks)}<br>${xml(what)}</td><td>${where}</td><td>${xml(remedy)}</td></tr>`;
}

function decided(problems: Problem[]): string {
  return list(
    "Decided upon",
    problems.map(
      ({ rule, subject, decision }) =>
        `${rule}, ${subject}: ${decision?.status ?? ""}: ${decision?.reason ?? ""} (${decision?.owner ?? decision?.source ?? ""}${decision?.until ? `, until ${decision.until}` : ""})`,
    ),
  );
}

function unread({ parts }: Report): string[] {
  return parts
    .filter(({ state }) => state !== "done")
    .flatMap(({ extractor, errors }) =>
      errors.slice(0, 100).map(({ path, message }) => `${extractor}: ${path}: ${message}`),
    );
}

function list(title: string, items: string[]): string {
  if (items.length === 0) return "";
  return `<h2>${title}</h2><ul>${items.map((item) => `<li>${xml(item)}</li>`).join("")}</ul>`;
}
