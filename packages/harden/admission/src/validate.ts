import { errorText } from "@bulwark/model";
import type { CompiledPolicy } from "./compile.ts";
import { conditionBudget, evaluation, policyBudget, type Evaluation, type Subject } from "./evaluate.ts";
import type { Reason } from "./policy.ts";
import type { Json } from "./request.ts";

/** Why a policy does not let a request through. */
export interface Failure {
  /** As the API server words it. */
  readonly message: string;
  readonly reason: Reason;
  /** Index of the validation; -1 where the policy could not be asked at all. */
  readonly validation: number;
  /** True where nothing was found wrong, but the expression failed. */
  readonly error: boolean;
}

export interface Answer {
  /** False: the conditions say that it is not about this request. */
  readonly applies: boolean;
  readonly failures: readonly Failure[];
  readonly annotations: Readonly<Record<string, string>>;
}

const messageLimit = 5 * 1024;

/**
 * Asks a ValidatingAdmissionPolicy about a request that its constraints take in. As `Validate` of the API server
 * (plugin/policy/validating/validator.go): every validation is asked, also after one has failed.
 */
export function validate(compiled: CompiledPolicy, subject: Subject, params: Json | null): Answer {
  const { failurePolicy } = compiled.policy.spec;
  const conditions = conditionsHold(compiled, subject, params);
  if (conditions !== true) {
    const none = { applies: false, failures: [], annotations: {} };
    if (conditions === false || failurePolicy === "Ignore") return none;
    return { ...none, applies: true, failures: [failed(conditions, -1)] };
  }
  const expressions = evaluation(compiled.variables, subject, params, policyBudget);
  const failures: Failure[] = [];
  let index = -1;
  for (const { validation, program, message } of compiled.validations) {
    index++;
    try {
      if (expressions.run(program) === true) continue;
      const said = message === undefined ? undefined : messageOf(expressions, message);
      const own = validation.message?.trim();
      const text =
        said ?? (own === undefined || own === "" ? `failed expression: ${validation.expression.trim()}` : own);
      failures.push({ message: text, reason: validation.reason, validation: index, error: false });
    } catch (error) {
      if (failurePolicy === "Ignore") continue;
      const text = `expression '${validation.expression}' resulted in error: ${errorText(error)}`;
      failures.push(failed(text, index));
    }
  }
  return { applies: true, failures, annotations: annotationsOf(compiled, expressions, failures) };
}

function failed(message: string, validation: number): Failure {
  return { message, reason: "Invalid", validation, error: true };
}

const noVariables: CompiledPolicy["variables"] = new Map();

/** True, false, or why they could not be asked: one that is false decides, whatever else failed. */
export function conditionsHold(compiled: CompiledPolicy, subject: Subject, params: Json | null): boolean | string {
  if (compiled.conditions.length === 0) return true;
  const expressions = evaluation(noVariables, subject, params, conditionBudget);
  let problem: string | undefined;
  for (const condition of compiled.conditions) {
    try {
      if (expressions.holds(condition) !== true) return false;
    } catch (error) {
      problem ??= `matchCondition '${condition.name}' resulted in error: ${errorText(error)}`;
    }
  }
  return problem ?? true;
}

/** One that fails, is empty, too long or of several lines gives way to the fixed message. */
function messageOf(expressions: Evaluation, program: Parameters<Evaluation["run"]>[0]): string | undefined {
  try {
    const value = expressions.run(program);
    if (typeof value !== "string" || value.length > messageLimit || value.includes("\n")) return undefined;
    const text = value.trim();
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}

const noAnnotations: Answer["annotations"] = {};

function annotationsOf(compiled: CompiledPolicy, expressions: Evaluation, failures: Failure[]): Answer["annotations"] {
  if (compiled.annotations.length === 0) return noAnnotations;
  const found: Record<string, string> = {};
  for (const { key, program } of compiled.annotations) {
    try {
      const value = expressions.run(program);
      if (typeof value === "string" && value.trim() !== "") found[key] = value.trim().slice(0, 10 * 1024);
    } catch (error) {
      if (compiled.policy.spec.failurePolicy === "Fail") failures.push(failed(errorText(error), -1));
    }
  }
  return found;
}
