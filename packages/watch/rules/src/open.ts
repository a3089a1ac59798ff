import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Component, RuleText } from "@bulwark/model";
import { errorText } from "@bulwark/model/plain";
import { createEngine, type Engine } from "./engine.ts";
import { keptRules } from "./kept.ts";
import type { RuleDocument } from "./load/yaml.ts";
import { problemText } from "./problem.ts";
import { ruleTextAt } from "./rule-text.ts";
import type { Ruleset } from "./ruleset.ts";

/** The rules that come with Bulwark. */
const ownRules = join(import.meta.dirname, "../../../../content/rules");

export interface OpenRules {
  readonly engine: Engine;
  /** Those that run. */
  readonly ruleset: Ruleset;
  /** What is wrong with the files: where, and how to mend it. Empty: they are whole. */
  readonly broken: readonly string[];
  /** One of the others' as it is written. Undefined for one of Bulwark's own, and where there is no such rule. */
  textOf(id: string): RuleText | undefined;
  /** That, and what else there is to say of them. */
  readonly health: Pick<Component, "state" | "reason" | "remedy"> & { readonly counters: Record<string, number> };
}

/**
 * Bulwark's own rules, those of other files behind them, without those that are switched off by name or id. What is wrong
 * with a file is told as health; every rule that is sound runs.
 */
export function openRules({ files, disabled }: { files: readonly string[]; disabled: readonly string[] }): OpenRules {
  const unreadable: string[] = [];
  const documents = pathsOf(files).flatMap((path): RuleDocument[] => {
    try {
      return ruleFilesIn(path).map((name) => ({ name, text: readFileSync(name, "utf8") }));
    } catch (error) {
      unreadable.push(`${path}: ${errorText(error)}`);
      return [];
    }
  });
  const { ruleset, errors } = keptRules(documents);
  const off = new Set(disabled);
  const rules = ruleset.rules.filter(({ isEnabled, name, id }) => isEnabled && !off.has(name) && !off.has(id));
  const known = new Set(ruleset.rules.flatMap(({ name, id }) => [name, id]));
  const unknown = disabled.filter((name) => !known.has(name)).map((name) => `there is no rule ${name} to switch off`);
  const broken = [...unreadable, ...errors.map(problemText)];
  const problems = [...broken, ...unknown];
  return {
    engine: createEngine({ rules }),
    ruleset: { rules },
    broken,
    textOf(id) {
      const rule = rules.find((other) => other.id === id);
      const document = documents.find(({ name }) => name === rule?.file);
      if (!rule || !document || dirname(document.name) === ownRules) return undefined;
      return { file: rule.file, line: rule.line, text: ruleTextAt(document.text, rule.line) };
    },
    health: {
      state: problems.length === 0 ? "ok" : "degraded",
      reason: problemsText(problems),
      remedy: problems.length === 0 ? "" : "bulwark rules check FILE says where and how to mend it",
      counters: { rules: rules.length, off: ruleset.rules.length - rules.length, problems: problems.length },
    },
  };
}

/** The first of them, within the bounds of a health record. */
export function problemsText(problems: readonly string[]): string {
  return problems.slice(0, 5).join("\n").slice(0, 2000);
}

/** Bulwark's own rules and those of others, in their order. */
export function pathsOf(files: readonly string[]): string[] {
  return [ownRules, ...files];
}

/** A file, or those of a folder. Raises an error where there is none. */
export function ruleFilesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => /^[^.].*(?<!\.cases)\.ya?ml$/.test(name))
    .toSorted()
    .map((name) => join(path, name));
}
