import type { Report, Severity } from "@bulwark/model";
import { jsonText } from "@bulwark/model/plain";
import { problemsOf, type Problem } from "../problems.ts";

/** https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
export function writeSarif(report: Report): string {
  const problems = problemsOf(report);
  const rules = [...new Map(problems.map((problem) => [problem.rule, problem])).values()];
  const index = new Map(rules.map(({ rule }, at) => [rule, at]));
  const failed = report.parts.filter(({ state }) => state !== "done");
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: report.tool.name,
            semanticVersion: report.tool.version,
            rules: rules.map(ruleOf),
          },
        },
        invocations: [
          {
            executionSuccessful: failed.every(({ state }) => state !== "failed"),
            endTimeUtc: report.createdAt,
            toolExecutionNotifications: failed.flatMap(({ extractor, state, errors }) =>
              errors.slice(0, 100).map(({ path, message }) => ({
                level: state === "failed" ? "error" : "warning",
                message: { text: `${extractor}: ${path}: ${message}` },
              })),
            ),
          },
        ],
        automationDetails: { id: `bulwark/${report.target.kind}/${report.target.name}` },
        columnKind: "utf16CodeUnits",
        results: problems.map((problem) => resultOf(problem, index.get(problem.rule) ?? 0, report.target.name)),
      },
    ],
  };
  return jsonText(log);
}

function ruleOf(problem: Problem): object {
  const { rule, kind, title, severity, remedy, links } = problem;
  const helpUri = links.find(isAddress);
  return {
    id: rule,
    name: kind,
    shortDescription: { text: title.slice(0, 1000) },
    fullDescription: { text: title.slice(0, 1000) },
    ...(helpUri !== undefined && { helpUri }),
    ...(remedy !== "" && { help: { text: remedy } }),
    defaultConfiguration: { level: levels[severity] },
    properties: { "security-severity": String(problem.score ?? scores[severity]), tags: ["security", kind] },
  };
}

function resultOf(problem: Problem, ruleIndex: number, target: string): object {
  const { rule, text, severity, locations, line, fingerprint, decision, subject, layer } = problem;
  const places = locations.filter((place) => place !== "");
  return {
    ruleId: rule,
    ruleIndex,
    level: levels[severity],
    message: { text },
    locations: (places.length === 0 ? [target] : places).slice(0, 10).map((place) => ({
      physicalLocation: {
        artifactLocation: { uri: uriOf(place), uriBaseId: "ROOT" },
        region: { startLine: line ?? 1 },
      },
      message: { text: subject },
    })),
    partialFingerprints: { "bulwark/v1": fingerprint },
    ...(decision && {
      suppressions: [{ kind: "external", status: "accepted", justification: decision.reason }],
    }),
    properties: {
      severity,
      ...(layer !== null && { layer }),
      ...(problem.fixedVersion !== null && { fixedVersion: problem.fixedVersion }),
      ...(problem.exploited && { exploited: true }),
      ...(problem.epss !== null && { epss: problem.epss }),
    },
  };
}

const levels: Record<Severity, "error" | "warning" | "note"> = {
  critical: "error",
  high: "error",
  medium: "warning",
  low: "note",
  negligible: "note",
  unknown: "warning",
};

/** What GitHub sorts by, where nobody has computed a score: the middle of the rating. */
const scores: Record<Severity, number> = { critical: 9.5, high: 8, medium: 5.5, low: 2, negligible: 0, unknown: 5 };

/** A path as a relative reference (RFC 3986, 4.2): no scheme, no host, no dot segments can be made of it. */
function uriOf(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== "." && part !== "..")
    .map((part) => encodeURIComponent(part.toWellFormed()))
    .join("/");
}

function isAddress(link: string): boolean {
  return /^https?:\/\//.test(link) && URL.canParse(link);
}
