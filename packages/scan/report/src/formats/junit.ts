import type { Report } from "@bulwark/model";
import { problemsOf, type Problem } from "../problems.ts";
import { xml } from "./markup.ts";

/** https://github.com/testmoapp/junitxml: a suite for each kind, a failure for each problem. */
export function writeJunit(report: Report): string {
  const groups = Map.groupBy(problemsOf(report), ({ kind }) => kind);
  const looked = [
    ["vulnerability", report.vulnerabilities],
    ["secret", report.secrets],
    ["malware", report.malware],
    ["check", report.checks],
  ] as const;
  const suites = looked
    .filter(([, list]) => list !== null)
    .map(([kind]) => suiteOf(`${kind}: ${report.target.name}`, groups.get(kind) ?? [], report.createdAt));
  const unread = report.parts.filter(({ state }) => state !== "done");
  const errors = unread.map(
    ({ extractor, errors: list }) =>
      `    <testcase name="${xml(extractor)}" classname="scan"><error message="${xml(list[0]?.message ?? "failed")}"/></testcase>\n`,
  );
  if (errors.length > 0) {
    suites.push(
      `  <testsuite name="scan" tests="${errors.length}" failures="0" errors="${errors.length}">\n${errors.join("")}  </testsuite>\n`,
    );
  }
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bulwark">\n${suites.join("")}</testsuites>\n`;
}

function suiteOf(name: string, problems: Problem[], createdAt: string): string {
  const failures = problems.filter(({ decision }) => decision === null).length;
  const skipped = problems.length - failures;
  // Without a case a suite would look as if nothing had been looked for.
  const cases = problems.length === 0 ? `    <testcase name="nothing found" classname="${xml(name)}"/>\n` : "";
  return (
    `  <testsuite name="${xml(name)}" tests="${Math.max(1, problems.length)}" failures="${failures}" skipped="${skipped}" errors="0" timestamp="${xml(createdAt)}">\n` +
    `${cases}${problems.map(caseOf).join("")}  </testsuite>\n`
  );
}

function caseOf({ rule, subject, location, severity, text, title, remedy, decision }: Problem): string {
  const open = `    <testcase name="${xml(`${rule} ${subject}`)}" classname="${xml(location === "" ? subject : location)}">`;
  const body =
    decision === null
      ? `<failure type="${severity}" message="${xml(text)}">${xml([title, remedy].filter((part) => part !== "").join("\n"))}</failure>`
      : `<skipped message="${xml(`${decision.status}: ${decision.reason}`)}"/>`;
  return `${open}${body}</testcase>\n`;
}
