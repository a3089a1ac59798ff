/** Falco's rule language: read, checked, compiled, matched against events. */
export { createEngine, type Engine, type Match } from "./engine.ts";
export type { FieldValue, ProcessMemory, RuleEvent, Scalar } from "./event.ts";
export { loadRules, type Loaded } from "./load/load.ts";
export { priorities, type Priority } from "./load/definitions.ts";
export { priorityNamed, ruleIdOf, severityOf, techniquesOf } from "./load/marks.ts";
export type { RuleDocument } from "./load/yaml.ts";
export { openRules, type OpenRules } from "./open.ts";
export { problemText, type Problem } from "./problem.ts";
export type { Rule, Ruleset } from "./ruleset.ts";
export { auditRuleEvent } from "./audit/event.ts";
export { readCases, runCases, type CaseResult, type RuleCases } from "./cases/run.ts";
export { rulesConformance } from "./conformance.ts";
export { fieldList } from "./fields/catalogue.ts";
export { domainsOf } from "./fields/domains.ts";
export { imageParts } from "./image.ts";
export { rulesReference } from "./reference.ts";
