/** Falco's rule language: read, checked, compiled, matched against events. */
export * from "./run.ts";
export { loadRules, type Loaded } from "./load/load.ts";
export { priorities, type Priority } from "./load/definitions.ts";
export { priorityNamed, ruleIdOf, severityOf, techniquesOf } from "./load/marks.ts";
export { auditRuleEvent } from "./audit/event.ts";
export { readCases, runCases, type CaseResult, type RuleCases } from "./cases/run.ts";
export { rulesConformance } from "./conformance.ts";
export { fieldList } from "./fields/catalogue.ts";
export { rulesReference } from "./reference.ts";
