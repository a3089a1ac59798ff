import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readCases, runCases } from "./cases/run.ts";
import { loadRules } from "./load/load.ts";

/**
 * Falco's stable rule file (`falco_rules.yaml`, as it is published) loads without an error, and every rule in it fires at
 * an event that it is for and not at one that it is not for (`falco-stable.cases.yaml`).
 */
export function rulesConformance(folder: string): { passed: number; failures: string[] } {
  const name = "falco_rules.yaml";
  const { ruleset, errors } = loadRules([{ name, text: readFileSync(join(folder, name), "utf8") }]);
  const cases = readCases(readFileSync(join(import.meta.dirname, "falco-stable.cases.yaml"), "utf8"));
  const results = runCases(ruleset, cases, { all: true });
  const failed = results.filter(({ failure }) => failure !== undefined);
  const failures = [
    ...errors.map(({ line, message }) => `${name}:${line}: ${message}`),
    ...failed.map(({ rule, what, failure }) => `${rule}: ${what}: ${failure}`),
  ];
  return { passed: results.length - failed.length + ruleset.rules.length, failures };
}
