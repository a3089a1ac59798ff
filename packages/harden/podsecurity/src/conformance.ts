import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { checkPod, levels, type Violation } from "./check-pod.ts";

export interface PodSecurityResult {
  /** Pods that were looked at. */
  readonly pods: number;
  readonly failed: number;
  /** One line for each. */
  readonly failures: readonly string[];
}

/**
 * Every pod below `folder`, laid out as `LEVEL/VERSION/{pass,fail}/CHECK[N].yaml`: those in `pass` have nothing
 * against them, those in `fail` have at least the check in the name of their file.
 */
export function runPodSecuritySuite(folder: string): PodSecurityResult {
  const files = globSync("*/*/{pass,fail}/*.yaml", { cwd: folder }).toSorted();
  const failures = files.flatMap((file) => {
    const [written, version = "", verdict = ""] = file.split("/");
    const level = levels.find((one) => one === written);
    if (level === undefined) return [`${file}: ${written ?? ""} is no level`];
    const violations = checkPod(level, version, parse(readFileSync(join(folder, file), "utf8")));
    const problem = wrong(violations, verdict, file);
    return problem === null ? [] : [`${file}: ${problem}`];
  });
  return { pods: files.length, failed: failures.length, failures };
}

function wrong(violations: readonly Violation[], verdict: string, file: string): string | null {
  const found = violations.map(({ check, detail }) => `${check} (${detail})`).join(", ");
  if (verdict === "pass") return violations.length === 0 ? null : `must pass, but ${found}`;
  const name = basename(file, ".yaml").replace(/\d+$/, "");
  if (violations.some(({ check }) => check.toLowerCase() === name)) return null;
  return `must fail ${name}, but ${found === "" ? "passes" : `fails only ${found}`}`;
}
