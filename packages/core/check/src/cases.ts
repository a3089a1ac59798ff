import type { CheckState } from "@bulwark/model";
import type { Check } from "./compile.ts";
import type { CheckCase } from "./document.ts";
import { evaluateChecks } from "./evaluate.ts";
import type { Facts } from "./facts.ts";

/**
 * Runs the cases that are written beside the checks; `factsOf` makes facts of what a case gives. One line for each that
 * does not hold, and for each check without a case that passes and one that fails.
 */
export function caseProblems(checks: readonly Check[], factsOf: (given: unknown) => Facts): string[] {
  return checks.flatMap((check) => [
    ...(["pass", "fail"] as const)
      .filter((state) => !check.cases.some(({ expect }) => expect === state))
      .map((state) => `${check.id}: no case that it must ${state}`),
    ...check.cases.flatMap((item) =>
      runCase(check, item, factsOf).map((problem) => `${check.id}: ${item.name}: ${problem}`),
    ),
  ]);
}

function runCase(check: Check, item: CheckCase, factsOf: (given: unknown) => Facts): string[] {
  const facts = factsOf(item.given);
  const missing = { ...facts.missing, ...item.missing };
  const results = evaluateChecks([check], { values: facts.values, missing }, item.name);
  const states = new Set(results.map(({ state }) => state));
  const state: CheckState | undefined = (["fail", "unknown", "pass", "not-applicable"] as const).find((one) =>
    states.has(one),
  );
  const reasons = results.map(({ reason }) => reason);
  if (state !== item.expect) return [`${state ?? "nothing"} (${reasons.join("; ")}), not ${item.expect}`];
  const problems: string[] = [];
  const { reason, lines } = item;
  if (reason !== undefined && !reasons.some((text) => text.includes(reason))) {
    problems.push(`the reason is "${reasons.join("; ")}", without "${reason}"`);
  }
  const failing = results.filter((one) => one.state === item.expect).map(({ line }) => line);
  if (lines && JSON.stringify(lines) !== JSON.stringify(failing)) {
    problems.push(`lines ${failing.join(", ")}, not ${lines.join(", ")}`);
  }
  return problems;
}
