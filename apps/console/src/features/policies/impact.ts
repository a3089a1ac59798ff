import type { PolicyViolation } from "@bulwark/model";

/** Namespaces of a text, separated by commas or spaces; null where one is none. */
export function namespacesIn(text: string): string[] | null {
  const names = text.split(/[\s,]+/).filter((name) => name !== "");
  return names.every((name) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) ? [...new Set(names)] : null;
}

/** Workloads that would be denied, without those of namespaces that are left out. */
export function deniedBut(violations: readonly PolicyViolation[], excluded: readonly string[]): PolicyViolation[] {
  return violations.filter(({ verdict, namespace }) => verdict === "denied" && !excluded.includes(namespace));
}
