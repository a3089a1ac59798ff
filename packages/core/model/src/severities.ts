/** Worst first. `negligible` is Debian's *unimportant*; `unknown` means that nobody has judged it. */
export const severities = ["critical", "high", "medium", "low", "negligible", "unknown"] as const;
export type Severity = (typeof severities)[number];

/** 0 is the worst. For ordering in memory and in the database. */
export function severityRank(value: Severity): number {
  return severities.indexOf(value);
}
