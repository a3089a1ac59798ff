import type { Decision, Report } from "@bulwark/model";
import type { Exception } from "./exceptions-file.ts";
import { withDecisions } from "./decide.ts";
import { problemsOf, type Problem } from "./problems.ts";
import { inGlob, like } from "./wildcard.ts";

/** Where a repository keeps its exceptions. */
export const exceptionsFile = ".bulwark.yaml";

/** Exceptions of one file. */
export interface Exceptions {
  file: string;
  list: readonly Exception[];
}

/**
 * The report with what the exceptions put up with decided. One that has run out decides nothing; that, and one that fits
 * nothing, is among the warnings. What somebody decided before stays.
 */
export function applyExceptions(report: Report, { file, list }: Exceptions): Report {
  const today = report.createdAt.slice(0, 10);
  const problems = problemsOf(report);
  const decisions = new Map<Problem["item"], Decision>();
  const warnings: string[] = [];
  for (const item of list) {
    const fitting = problems.filter((problem) => fits(item, problem, report));
    if (fitting.length === 0) warnings.push(`${file}: the exception for ${item.id} (${item.owner}) fits nothing`);
    else if (item.expires < today && item.expires !== "never") {
      warnings.push(`${file}: the exception for ${item.id} (${item.owner}) ran out on ${item.expires}`);
    } else {
      for (const problem of fitting) decisions.set(problem.item, decisionOf(item, file));
    }
  }
  const decided = withDecisions(report, (problem) => decisions.get(problem.item) ?? null);
  return { ...decided, warnings: [...report.warnings, ...warnings].slice(0, 1000) };
}

function decisionOf({ reason, owner, expires }: Exception, source: string): Decision {
  return { by: "exception", status: "accepted", reason, owner, until: expires === "never" ? null : expires, source };
}

function fits(item: Exception, problem: Problem, report: Report): boolean {
  const names = [problem.rule, ...problem.aliases];
  if (!names.some((name) => like(item.id, name))) return false;
  if (item.package !== undefined && !problem.packages.some((name) => like(item.package ?? "", name))) return false;
  if (item.target !== undefined && !like(item.target, report.target.name)) return false;
  const { path } = item;
  return path === undefined || problem.locations.some((place) => inGlob(path, place));
}
