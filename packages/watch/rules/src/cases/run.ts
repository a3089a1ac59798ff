import { parse } from "yaml";
import { createEngine, type Engine } from "../engine.ts";
import type { Ruleset } from "../ruleset.ts";
import { writtenEvent, type WrittenEvent } from "./event.ts";

/** Recorded events of one rule: some that it fires at, some that it must not. */
export interface RuleCases {
  readonly rule: string;
  readonly fires: readonly Case[];
  readonly quiet: readonly Case[];
}

interface Case {
  /** What it is, in a few words. */
  readonly what: string;
  readonly event: WrittenEvent;
}

export interface CaseResult {
  readonly rule: string;
  readonly what: string;
  /** Undefined where it went as it should. */
  readonly failure: string | undefined;
}

/** The cases of a file; raises an `Error` for what is no file of cases. */
export function readCases(text: string): RuleCases[] {
  const root: unknown = parse(text, { maxAliasCount: 1000 });
  if (!Array.isArray(root)) throw new Error("a file of cases is a list: - rule: … fires: … quiet: …");
  return root.map((entry: unknown, index) => {
    const item = asRecord(entry);
    const { rule } = item;
    if (typeof rule !== "string") throw new Error(`entry ${index + 1} names no rule`);
    const cases = (key: "fires" | "quiet"): Case[] => {
      const list = item[key] ?? [];
      if (!Array.isArray(list)) throw new Error(`${rule}: "${key}" is no list`);
      return list.map((one: unknown) => {
        const { what, ...event } = asRecord(one);
        if (typeof what !== "string") throw new Error(`${rule}: a case without "what"`);
        return { what, event };
      });
    };
    return { rule, fires: cases("fires"), quiet: cases("quiet") };
  });
}

/** Runs cases against a set. A rule that has none, or only those of one kind, is a failure when `all` is asked for. */
export function runCases(ruleset: Ruleset, cases: readonly RuleCases[], options: { all?: boolean } = {}): CaseResult[] {
  const results: CaseResult[] = [];
  for (const rule of ruleset.rules) {
    const own = cases.filter((one) => one.rule === rule.name);
    // Alone, so that a case says something about its rule; a rule that is off by default is tried all the same.
    const engine = createEngine({ rules: [{ ...rule, isEnabled: true }] });
    const [fires, quiet] = [own.flatMap((one) => one.fires), own.flatMap((one) => one.quiet)];
    for (const one of fires) results.push({ rule: rule.name, what: one.what, failure: failureOf(engine, one, true) });
    for (const one of quiet) results.push({ rule: rule.name, what: one.what, failure: failureOf(engine, one, false) });
    if (options.all !== true) continue;
    if (fires.length === 0) results.push({ rule: rule.name, what: "cases", failure: "has no event at which it fires" });
    if (quiet.length === 0)
      results.push({ rule: rule.name, what: "cases", failure: "has no event at which it stays quiet" });
  }
  const known = new Set(ruleset.rules.map(({ name }) => name));
  for (const { rule } of cases) {
    if (!known.has(rule)) results.push({ rule, what: "cases", failure: "there is no such rule" });
  }
  return results;
}

function failureOf(engine: Engine, { event }: Case, shouldFire: boolean): string | undefined {
  const hasFired = engine.match(writtenEvent(event)).length > 0;
  if (hasFired === shouldFire) return undefined;
  return shouldFire ? "should fire and does not" : "should stay quiet and fires";
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
