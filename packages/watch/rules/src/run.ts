/**
 * Rules that run, without what reads rule files: `@bulwark/rules/run`. A watch begins within a moment, and what was read
 * of the same files before is kept.
 */
export { createEngine, type Engine, type Match } from "./engine.ts";
export type { FieldValue, ProcessMemory, RuleEvent, Scalar } from "./event.ts";
export { Changes } from "./changes.ts";
export { domainsOf } from "./fields/domains.ts";
export { FollowedRules } from "./followed.ts";
export { imageParts } from "./image.ts";
export { keptRules } from "./kept.ts";
export { openRules, type OpenRules } from "./open.ts";
export { problemText, type Problem } from "./problem.ts";
export { ruleTextAt } from "./rule-text.ts";
export type { Rule, Ruleset } from "./ruleset.ts";
export type { RuleDocument } from "./load/yaml.ts";
