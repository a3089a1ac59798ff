import { list, record, text } from "../formats/data.ts";
import type { ListedDocument, Listed } from "./document.ts";

export function isSpdx3(document: Record<string, unknown>): boolean {
  return Array.isArray(document["@graph"]) && JSON.stringify(document["@context"] ?? "").includes("spdx.org");
}

/** SPDX 3.0 as JSON-LD: elements in one list, tied by relationships. https://spdx.github.io/spdx-spec/v3.0.1/ */
export function listSpdx3(document: Record<string, unknown>): ListedDocument {
  const elements = list(document["@graph"]).map(record);
  const licences = licencesByPackage(elements);
  const root = elements.find(({ type }) => type === "SpdxDocument");
  const listed: ListedDocument = {
    name: text(root?.["name"]) ?? "SPDX",
    digest: null,
    os: null,
    packages: [],
    parts: [],
  };
  for (const element of elements) {
    if (element["type"] !== "software_Package") continue;
    const name = text(element["name"]) ?? "";
    const version = text(element["software_packageVersion"]);
    if (element["software_primaryPurpose"] === "operatingSystem") {
      listed.os ??= {
        id: name.toLowerCase().slice(0, 64),
        version: (version ?? "").slice(0, 64),
        name: `${name} ${version ?? ""}`.slice(0, 256),
      };
      continue;
    }
    const id = text(element["spdxId"]) ?? name;
    const item: Listed = {
      reference: id,
      name,
      version,
      purl: purlOf(element),
      licences: licences.get(id) ?? [],
      properties: new Map(),
    };
    listed.packages.push(item);
  }
  return listed;
}

function purlOf(element: Record<string, unknown>): string | undefined {
  const identifiers = list(element["externalIdentifier"]).map(record);
  const found = identifiers.find((identifier) => identifier["externalIdentifierType"] === "packageUrl");
  return text(element["software_packageUrl"]) ?? text(found?.["identifier"]);
}

function licencesByPackage(elements: Record<string, unknown>[]): Map<string, string[]> {
  const expressions = new Map(
    elements.map((element) => [text(element["spdxId"]) ?? "", text(element["simplelicensing_licenseExpression"])]),
  );
  const found = new Map<string, string[]>();
  for (const element of elements) {
    if (!/^has(?:Declared|Concluded)License$/.test(text(element["relationshipType"]) ?? "")) continue;
    const from = text(element["from"]) ?? "";
    for (const to of list(element["to"])) {
      const expression = expressions.get(text(to) ?? "");
      if (expression !== undefined) found.set(from, [...new Set([...(found.get(from) ?? []), expression])]);
    }
  }
  return found;
}
