import { toCycloneDx, toSpdx, type SbomDocument } from "@bulwark/inventory/sbom";
import type { Report } from "@bulwark/model";
import { jsonText } from "@bulwark/model/plain";

/** What is inside, for whoever asks for a bill of materials; `bulwark scan sbom` reads it back. */
export function writeCycloneDx(report: Report): string {
  return jsonText(toCycloneDx(documentOf(report)));
}

export function writeSpdx(report: Report): string {
  return jsonText(toSpdx(documentOf(report)));
}

function documentOf({ target, os, packages, parts, createdAt, tool }: Report): SbomDocument {
  return { subject: target, inventory: { os, packages, extractors: parts }, createdAt, tool };
}
