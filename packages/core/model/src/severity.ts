import { z } from "zod";

/** Worst first. `negligible` is Debian's *unimportant*; `unknown` means that nobody has judged it. */
export const severities = ["critical", "high", "medium", "low", "negligible", "unknown"] as const;
export const severity = z.enum(severities);
export type Severity = z.infer<typeof severity>;

/** 0 is the worst. For ordering in memory and in the database. */
export function severityRank(value: Severity): number {
  return severities.indexOf(value);
}
