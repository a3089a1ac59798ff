import type { Severity } from "@bulwark/model";

/** Qualitative rating. https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  if (score >= 4) return "medium";
  return score > 0 ? "low" : "negligible";
}

/** Words of distributions and registries for how grave a weakness is. Undefined where the word says nothing yet. */
export function severityOfWord(word: string): Severity | undefined {
  return words[word.toLowerCase().replace(/\*+$/, "")];
}

const words: Record<string, Severity | undefined> = {
  critical: "critical",
  important: "high",
  high: "high",
  moderate: "medium",
  medium: "medium",
  low: "low",
  minor: "low",
  negligible: "negligible",
  // Debian: https://security-team.debian.org/security_tracker.html#severity-levels
  unimportant: "negligible",
};
