import { CelError, type Program } from "@bulwark/cel";
import type { CheckResult, CheckState } from "@bulwark/model";
import { errorText } from "@bulwark/model/plain";
import type { Check } from "./compile.ts";
import { variablesOf, type Facts } from "./facts.ts";
import { textOf } from "./template.ts";

/** Failing items of one check that are listed one by one; the rest is counted. */
const itemLimit = 100;
/** Facts can be long lists; about a second of work. */
const costLimit = 10_000_000;

type Variables = Record<string, unknown>;

/**
 * What the checks say of facts; `subject` names the thing that was looked at. Every check gives a result: one for all
 * that passes, and one for each item that does not. What cannot be decided, because a fact is missing or of another
 * shape than expected, is `unknown`, with the reason.
 */
export function evaluateChecks(checks: readonly Check[], facts: Facts, subject: string): CheckResult[] {
  const variables = variablesOf(facts);
  return checks.flatMap((check) => evaluateCheck(check, variables, subject));
}

function evaluateCheck(check: Check, variables: Variables, subject: string): CheckResult[] {
  const { applies, otherwise, each } = check.programs;
  const answer = (state: CheckState, reason: string): CheckResult[] => [result(check, subject, state, reason)];
  try {
    if (applies && !truth(applies, variables)) {
      return answer("not-applicable", otherwise?.(variables) ?? "it is not about this");
    }
    if (!each) return [judge(check, variables, subject, null)];
    const items = list(each, variables);
    if (items.length === 0) return answer(check.empty ?? "not-applicable", "nothing of the kind is there");
    return judgeAll(check, variables, subject, items);
  } catch (error) {
    return answer("unknown", reasonOf(error));
  }
}

/** What does not hold or is not known, item by item; where all hold, one result says so. */
function judgeAll(check: Check, variables: Variables, subject: string, items: readonly unknown[]): CheckResult[] {
  const results = items.map((item) => judge(check, withItem(variables, item), subject, lineOf(item)));
  const bad = results.filter(({ state }) => state !== "pass");
  if (bad.length === 0)
    return [result(check, subject, "pass", `holds of ${items.length === 1 ? "the one" : `all ${items.length}`} there`)];
  const shown = bad.slice(0, itemLimit);
  const last = shown.at(-1);
  if (last && bad.length > shown.length)
    last.reason = clip(`${last.reason}; and ${bad.length - shown.length} more`, 2048);
  return shown;
}

function judge(check: Check, variables: Variables, subject: string, line: number | null): CheckResult {
  const { pass, reason, evidence } = check.programs;
  try {
    const state = truth(pass, variables) ? "pass" : "fail";
    const seen = [...evidence].map(([key, program]) => ({ key, value: clip(evidenceOf(program, variables), 4096) }));
    return {
      ...result(check, subject, state, state === "pass" ? "it holds" : reason(variables)),
      evidence: seen,
      line,
    };
  } catch (error) {
    return { ...result(check, subject, "unknown", reasonOf(error)), line };
  }
}

function evidenceOf(program: Program, variables: Variables): string {
  try {
    return textOf(program.evaluate(variables, { costLimit }));
  } catch (error) {
    return `not known: ${reasonOf(error)}`;
  }
}

/** Getters of missing facts stay getters. */
function withItem(variables: Variables, item: unknown): Variables {
  return Object.create(variables, { item: { value: item, enumerable: true } }) as Variables;
}

function truth(program: Program, variables: Variables): boolean {
  const value = program.evaluate(variables, { costLimit });
  if (typeof value === "boolean") return value;
  throw new CelError("evaluation", `gives ${textOf(value)}, neither true nor false`);
}

function list(program: Program, variables: Variables): readonly unknown[] {
  const value = program.evaluate(variables, { costLimit });
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new CelError("evaluation", `gives ${textOf(value)}, which is no list`);
}

function lineOf(item: unknown): number | null {
  if (typeof item !== "object" || item === null || !("line" in item)) return null;
  return typeof item.line === "number" && Number.isInteger(item.line) && item.line >= 1 ? item.line : null;
}

/** Everything but an expression that failed is a defect. */
function reasonOf(error: unknown): string {
  if (error instanceof CelError) return errorText(error);
  throw error;
}

function result(check: Check, subject: string, state: CheckState, reason: string): CheckResult {
  const { id, title, severity, remedy } = check;
  return {
    check: id,
    title,
    state,
    severity,
    subject: clip(subject, 1024),
    reason: clip(reason, 2048),
    evidence: [],
    remedy,
    line: null,
  };
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
