import { createHash } from "node:crypto";
import type { Report } from "@bulwark/model";

/** Milliseconds since the epoch; what has no time is older than everything that has. */
export function timeOf(text: string | undefined): number {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? 0 : time;
}

/** The product that a report is about: the package URL of an image with a digest, else its name. */
export function productOf({ target }: Report): string {
  if (target.kind !== "image" || target.digest === null) return target.name;
  const name = /([^/:@]+)(?::[^/@]+)?(?:@.*)?$/.exec(target.name)?.[1] ?? target.name;
  return `pkg:oci/${encodeURIComponent(name.toLowerCase().toWellFormed())}@${target.digest}`;
}

/** An address that nobody else uses, the same for the same report. */
export function documentId(report: Report): string {
  const text = `${report.target.name}\u0000${report.target.digest ?? ""}\u0000${report.createdAt}`;
  return `urn:bulwark:vex:${createHash("sha256").update(text).digest("hex")}`;
}
