import type { Severity } from "@bulwark/model";
import { priorities, type Priority } from "./definitions.ts";

/** What Falco calls it, in any case; `info` is short for `informational`. Undefined where Falco has no such priority. */
export function priorityNamed(text: string): Priority | undefined {
  const asked = text.toLowerCase();
  return priorities.find((name) => name === asked) ?? (asked === "info" ? "informational" : undefined);
}

/** What a priority comes to. */
export const severityOf: Readonly<Record<Priority, Severity>> = {
  emergency: "critical",
  alert: "critical",
  critical: "critical",
  error: "high",
  warning: "high",
  notice: "medium",
  informational: "low",
  debug: "negligible",
};

/** The name of a rule in lower case with dashes: what alerts and settings call it. */
export function ruleIdOf(name: string): string {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return plain.replaceAll(/^-|-$/g, "").slice(0, 120) || "rule";
}

/** MITRE ATT&CK techniques and tactics among a rule's tags. */
export function techniquesOf(tags: readonly string[]): string[] {
  return tags.filter((tag) => /^TA?\d{4}(?:\.\d{3})?$/.test(tag));
}
