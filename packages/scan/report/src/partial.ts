import type { Report } from "@bulwark/model";

/** Is there something that the scan should have looked at and could not? */
export function isPartial({ parts, vulnerabilities, unknown }: Report): boolean {
  if (parts.length === 0 || vulnerabilities === null) return true;
  return parts.some(({ state }) => state !== "done") || unknown.some(({ lacking }) => lacking);
}
