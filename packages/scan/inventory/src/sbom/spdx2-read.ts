import { list, record, text } from "../formats/data.ts";
import type { ListedDocument } from "./document.ts";
import { listIn, partsProperty } from "./properties.ts";

export function isSpdx2(document: Record<string, unknown>): boolean {
  return text(document["spdxVersion"])?.startsWith("SPDX-2.") === true;
}

/** SPDX 2 as JSON, https://spdx.github.io/spdx-spec/v2.3/ */
export function listSpdx2(document: Record<string, unknown>): ListedDocument {
  const own = annotated(document);
  const extracted = new Map(
    list(document["hasExtractedLicensingInfos"])
      .map(record)
      .map((item) => [text(item["licenseId"]) ?? "", text(item["name"]) ?? text(item["extractedText"]) ?? ""]),
  );
  const listed: ListedDocument = {
    name: text(document["name"]) ?? "SPDX",
    digest: own.get("bulwark:digest") ?? null,
    os: null,
    packages: [],
    parts: listIn(own.get(partsProperty)),
  };
  for (const item of list(document["packages"]).map(record)) {
    const name = text(item["name"]) ?? "";
    const version = text(item["versionInfo"]);
    const properties = annotated(item);
    if (item["primaryPackagePurpose"] === "OPERATING-SYSTEM") {
      const pretty = properties.get("bulwark:pretty-name") ?? `${name} ${version ?? ""}`.trim();
      listed.os ??= {
        id: name.toLowerCase().slice(0, 64),
        version: (version ?? "").slice(0, 64),
        name: pretty.slice(0, 256),
      };
      continue;
    }
    listed.packages.push({
      reference: text(item["SPDXID"]) ?? name,
      name,
      version,
      purl: purlOf(item),
      licences: licencesOf(item, properties, extracted),
      properties,
    });
  }
  return listed;
}

function purlOf(item: Record<string, unknown>): string | undefined {
  const references = list(item["externalRefs"]).map(record);
  return text(references.find((reference) => reference["referenceType"] === "purl")?.["referenceLocator"]);
}

function licencesOf(
  item: Record<string, unknown>,
  properties: ReadonlyMap<string, string>,
  extracted: ReadonlyMap<string, string>,
): string[] {
  const own = properties.get("bulwark:licences");
  if (own !== undefined) return listIn(own).filter((licence) => typeof licence === "string");
  const declared = [item["licenseDeclared"], item["licenseConcluded"]].map(text);
  const said = declared.find((licence) => licence !== undefined && licence !== "NOASSERTION" && licence !== "NONE");
  return said === undefined ? [] : [extracted.get(said) ?? said];
}

/** What we put into annotations, which is where SPDX has a place for anything; Trivy writes its properties so too. */
function annotated(item: Record<string, unknown>): Map<string, string> {
  const found = new Map<string, string>();
  for (const annotation of list(item["annotations"]).map(record)) {
    const comment = text(annotation["comment"]) ?? "";
    const [, key, value] = /^((?:bulwark:|aquasecurity:trivy:)?[\w-]+): ([^]*)$/.exec(comment) ?? [];
    if (key === undefined || value === undefined) continue;
    found.set(key.includes(":") ? key : `aquasecurity:trivy:${key}`, value);
  }
  return found;
}
