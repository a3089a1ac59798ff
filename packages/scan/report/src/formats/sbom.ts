import { toCycloneDx, toSpdx, type SbomDocument } from "@bulwark/inventory/sbom";
import type { Report } from "@bulwark/model";
import type { Format } from "./format.ts";
import { jsonText } from "./json-text.ts";

/** What is inside, for whoever asks for a bill of materials; `bulwark scan sbom` reads it back. */
export const cyclonedx: Format = {
  name: "cyclonedx",
  summary: "bill of materials, CycloneDX 1.6",
  write: (report) => jsonText(toCycloneDx(documentOf(report))),
};

export const spdx: Format = {
  name: "spdx",
  summary: "bill of materials, SPDX 2.3",
  write: (report) => jsonText(toSpdx(documentOf(report))),
};

function documentOf({ target, os, packages, parts, createdAt, tool }: Report): SbomDocument {
  return { subject: target, inventory: { os, packages, extractors: parts }, createdAt, tool };
}
