import { errorText, type Decision, type Report } from "@bulwark/model";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { ReportError } from "./error.ts";
import { withDecisions } from "./decide.ts";
import { problemsOf, type Problem } from "./problems.ts";
import { inGlob, like } from "./wildcard.ts";

/** Where a repository keeps its exceptions. */
export const exceptionsFile = ".bulwark.yaml";

const pattern = z.string().min(1).max(1024);
const exception = z.strictObject({
  /** CVE or another name of the weakness, kind of secret, rule of malware, check; `*` stands for any characters. */
  id: pattern,
  /** Name or package URL, with `*`. */
  package: pattern.optional(),
  /** Path in what is scanned, as a glob: `test/**`. */
  path: pattern.optional(),
  /** Name of what is scanned, with `*`. */
  target: pattern.optional(),
  reason: z.string().trim().min(1).max(2048),
  owner: z.string().trim().min(1).max(256),
  /** The last day on which it holds; `never` has to be said. */
  expires: z.union([z.literal("never"), z.iso.date()]),
});
const document = z.strictObject({ exceptions: z.array(exception).max(10_000) });
type Exception = z.infer<typeof exception>;

/** Exceptions of one file. */
export interface Exceptions {
  file: string;
  list: readonly Exception[];
}

/** Reads a file of exceptions. Raises `ReportError` `bad-exceptions` with file, line and what is expected there. */
export function parseExceptions(text: string, file: string): Exceptions {
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines });
  const [broken] = yaml.errors;
  if (broken) throw bad(file, lines.linePos(broken.pos[0]).line, broken.message.split("\n")[0] ?? "");
  let value: unknown;
  try {
    value = yaml.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw bad(file, 1, errorText(error));
  }
  const parsed = document.safeParse(value ?? { exceptions: [] });
  if (parsed.success) return { file, list: parsed.data.exceptions };
  const [issue] = parsed.error.issues;
  const node = yaml.getIn(issue?.path ?? [], true) ?? yaml.getIn(issue?.path.slice(0, -1) ?? [], true);
  const place = (node as { range?: [number] } | undefined)?.range?.[0] ?? 0;
  throw bad(file, lines.linePos(place).line, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
}

function bad(file: string, line: number, message: string): ReportError {
  return new ReportError("bad-exceptions", `${file}:${line}: ${message}`, {
    remedy: "an exception has id, reason, owner, expires, and may have package, path, target",
  });
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
