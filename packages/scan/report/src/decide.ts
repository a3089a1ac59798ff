import type { Decision, Report } from "@bulwark/model";
import { problemsOf, type Problem } from "./problems.ts";

/** The report with a decision for each problem that has none yet. */
export function withDecisions(report: Report, decide: (problem: Problem) => Decision | null): Report {
  const problems = new Map<unknown, Problem>(problemsOf(report).map((problem) => [problem.item, problem]));
  const decided = <T extends { decision: Decision | null }>(items: T[] | null): T[] | null =>
    items?.map((item) => {
      const problem = problems.get(item);
      const decision = item.decision ?? (problem ? decide(problem) : null);
      return decision === null ? item : { ...item, decision };
    }) ?? null;
  return {
    ...report,
    vulnerabilities: decided(report.vulnerabilities),
    secrets: decided(report.secrets),
    malware: decided(report.malware),
    checks: decided(report.checks),
  };
}
