/** Checks: CEL over facts, loaded from YAML with their cases; pass, fail, not applicable, or unknown. */
export { caseProblems } from "./cases.ts";
export type { Check } from "./compile.ts";
export type { CheckDocument } from "./document.ts";
export { evaluateChecks } from "./evaluate.ts";
export type { Facts } from "./facts.ts";
export { compileChecks, loadChecks, parseChecks } from "./load.ts";
