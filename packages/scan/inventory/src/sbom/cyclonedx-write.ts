import { createHash } from "node:crypto";
import type { InstalledPackage } from "@bulwark/model";
import { isLicenceId, isSpdx } from "../licences.ts";
import type { SbomDocument } from "./document.ts";
import { partsProperty, propertiesOf } from "./properties.ts";

/** CycloneDX 1.6, to be written as JSON, https://cyclonedx.org/docs/1.6/json/ ; `readSbom` reads the same inventory back. */
export function toCycloneDx({ subject, inventory, createdAt, tool }: SbomDocument): Record<string, unknown> {
  const { os, packages, extractors } = inventory;
  const components = [
    ...(os
      ? [
          {
            type: "operating-system",
            "bom-ref": `os:${os.id}@${os.version}`,
            name: os.id,
            version: os.version,
            properties: [{ name: "bulwark:pretty-name", value: os.name }],
          },
        ]
      : []),
    ...packages.map(component),
  ];
  const content = {
    metadata: {
      timestamp: createdAt,
      tools: { components: [{ type: "application", name: tool.name, version: tool.version }] },
      component: {
        type: subject.kind === "image" ? "container" : "application",
        "bom-ref": "subject",
        name: subject.name,
        ...(subject.digest !== null && {
          version: subject.digest,
          properties: [{ name: "bulwark:digest", value: subject.digest }],
        }),
      },
      properties: [{ name: partsProperty, value: JSON.stringify(extractors.filter(({ state }) => state !== "done")) }],
    },
    components,
    dependencies: [{ ref: "subject", dependsOn: components.map((one) => one["bom-ref"]) }],
  };
  const text = JSON.stringify(content);
  const head = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(text)}`,
    version: 1,
  };
  return { ...head, ...content };
}

function component(item: InstalledPackage, number: number): Record<string, unknown> & { "bom-ref": string } {
  return {
    type: item.type === "binary" ? "application" : "library",
    // The same package may be there more than once.
    "bom-ref": `${number}:${item.purl}`,
    name: item.name,
    version: item.version,
    ...(item.development && { scope: "optional" }),
    ...(item.licences.length > 0 && { licenses: choices(item.licences) }),
    purl: item.purl,
    properties: propertiesOf(item).map(([name, value]) => ({ name, value })),
  };
}

/** Either one expression, or licences one by one. */
function choices(licences: string[]): unknown[] {
  const [only] = licences;
  if (licences.length === 1 && only !== undefined && !isLicenceId(only) && isSpdx(only)) return [{ expression: only }];
  return licences.map((licence) => ({ license: isLicenceId(licence) ? { id: licence } : { name: licence } }));
}

/** The same content has the same number. https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8 */
export function uuidOf(content: string): string {
  const hash = createHash("sha256").update(content).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
