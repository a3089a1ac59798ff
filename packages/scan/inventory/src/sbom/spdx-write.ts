import { createHash } from "node:crypto";
import type { InstalledPackage } from "@bulwark/model";
import { isSpdx } from "../licences.ts";
import { uuidOf } from "./cyclonedx-write.ts";
import type { SbomDocument } from "./document.ts";
import { partsProperty, propertiesOf } from "./properties.ts";

/** SPDX 2.3, to be written as JSON, https://spdx.github.io/spdx-spec/v2.3/ ; `readSbom` reads the same inventory back. */
export function toSpdx({ subject, inventory, createdAt, tool }: SbomDocument): Record<string, unknown> {
  const { os, packages, extractors } = inventory;
  // Without fractions of a second: https://spdx.github.io/spdx-spec/v2.3/document-creation-information/#69-created-field
  const created = createdAt.replace(/\.\d+Z$/, "Z");
  const annotations = (values: [string, string][]): unknown[] =>
    values.map(([name, value]) => ({
      annotationDate: created,
      annotationType: "OTHER",
      annotator: `Tool: ${tool.name}-${tool.version}`,
      comment: `${name}: ${value}`,
    }));
  const others = new Map<string, string>();
  const listed = [
    {
      SPDXID: "SPDXRef-Subject",
      name: subject.name,
      ...(subject.digest !== null && { versionInfo: subject.digest }),
      ...unasserted,
      primaryPackagePurpose: subject.kind === "image" ? "CONTAINER" : "APPLICATION",
    },
    ...(os
      ? [
          {
            SPDXID: "SPDXRef-OperatingSystem",
            name: os.id,
            versionInfo: os.version,
            ...unasserted,
            primaryPackagePurpose: "OPERATING-SYSTEM",
            annotations: annotations([["bulwark:pretty-name", os.name]]),
          },
        ]
      : []),
    ...packages.map((item, number) => ({
      SPDXID: `SPDXRef-Package-${number}`,
      name: item.name,
      versionInfo: item.version,
      ...unasserted,
      licenseDeclared: declared(item.licences, others),
      sourceInfo: `from ${item.location}; source ${item.source.name} ${item.source.version}`,
      externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: item.purl }],
      annotations: annotations([...propertiesOf(item), ["bulwark:licences", JSON.stringify(item.licences)]]),
    })),
  ];
  const content = {
    name: subject.name,
    creationInfo: { created, creators: [`Tool: ${tool.name}-${tool.version}`] },
    annotations: annotations([
      [partsProperty, JSON.stringify(extractors.filter(({ state }) => state !== "done"))],
      ...(subject.digest === null ? [] : [["bulwark:digest", subject.digest] as [string, string]]),
    ]),
    packages: listed,
    hasExtractedLicensingInfos: [...others].map(([licenseId, name]) => ({ licenseId, name, extractedText: name })),
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: "SPDXRef-Subject" },
      ...listed.slice(1).map(({ SPDXID }) => ({
        spdxElementId: "SPDXRef-Subject",
        relationshipType: "CONTAINS",
        relatedSpdxElement: SPDXID,
      })),
    ],
  };
  const head = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    documentNamespace: `https://bulwark.invalid/spdx/${uuidOf(JSON.stringify(content))}`,
  };
  return { ...head, ...content };
}

const unasserted = {
  downloadLocation: "NOASSERTION",
  filesAnalyzed: false,
  licenseConcluded: "NOASSERTION",
  copyrightText: "NOASSERTION",
};

/** One expression of all licences; what is no SPDX expression gets a reference of the document's own. */
function declared(licences: InstalledPackage["licences"], others: Map<string, string>): string {
  if (licences.length === 0) return "NOASSERTION";
  const parts = licences.map((licence) => {
    for (const [id] of licence.matchAll(/LicenseRef-[\w.-]+/g)) others.set(id, id);
    if (isSpdx(licence)) return licences.length > 1 && licence.includes(" ") ? `(${licence})` : licence;
    const id = `LicenseRef-${createHash("sha256").update(licence).digest("hex").slice(0, 16)}`;
    others.set(id, licence);
    return id;
  });
  return parts.join(" AND ");
}
