import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "@bulwark/model/plain";
import type { RuleDocument } from "@bulwark/rules";
import { UsageError } from "../local/options.ts";

/** The rules that come with Bulwark. */
export const defaultRules = join(import.meta.dirname, "../../../../content/rules");

export interface RuleFiles {
  readonly rules: RuleDocument[];
  /** Recorded events beside them: `NAME.cases.yaml`. */
  readonly cases: RuleDocument[];
}

/** Files, folders of them, or `-`. Raises a `UsageError` for what cannot be read. */
export function readRuleFiles(paths: readonly string[]): RuleFiles {
  const files = paths.flatMap(filesOf);
  const rules = files.filter((file) => !isCases(file));
  const beside = rules
    .map((file) => file.replace(/\.ya?ml$/, ".cases.yaml"))
    .filter((file) => isCases(file) && isFile(file));
  const cases = [...new Set([...files.filter(isCases), ...beside])];
  return { rules: rules.map(readDocument), cases: cases.map(readDocument) };
}

/** Those that come with Bulwark and others, to be read more than once: standard input, which can be read only once, is kept. */
export function openRuleFiles(paths: readonly string[]): { names(): string[]; read(): RuleDocument[] } {
  const all = [defaultRules, ...paths];
  let input: RuleDocument[] | undefined;
  return {
    names: () => all.filter((path) => path !== "-").flatMap(filesOf),
    read: () =>
      all.flatMap((path) => (path === "-" ? (input ??= readRuleFiles([path]).rules) : readRuleFiles([path]).rules)),
  };
}

function filesOf(path: string): string[] {
  if (path === "-" || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  const found = globSync("**/*.{yaml,yml}", { cwd: path }).toSorted();
  if (found.length > 0) return found.map((file) => join(path, file));
  throw new UsageError("usage", `${path}: no rule file in it`, { remedy: "name a folder of YAML files" });
}

function isCases(file: string): boolean {
  return /\.cases\.ya?ml$/.test(file);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function readDocument(file: string): RuleDocument {
  try {
    return { name: file === "-" ? "stdin" : file, text: readFileSync(file === "-" ? 0 : file, "utf8") };
  } catch (error) {
    throw new UsageError("usage", `${file}: ${errorText(error)}`, { remedy: "name a rule file that can be read" });
  }
}
