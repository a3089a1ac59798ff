import calculator from "ae-cvss-calculator";
import type { Severity } from "@bulwark/model";

/** Base score of a CVSS vector, version 2 to 4, by its formula. Undefined where the vector is none, or incomplete. */
export function cvssScore(vector: string): number | undefined {
  if (vector.length > 256) return undefined;
  try {
    const { base } = calculator.fromVector(vector)?.calculateScores(false) ?? {};
    return typeof base === "number" && base >= 0 && base <= 10 ? base : undefined;
  } catch {
    return undefined;
  }
}

/** Qualitative rating. https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  if (score >= 4) return "medium";
  return score > 0 ? "low" : "negligible";
}
