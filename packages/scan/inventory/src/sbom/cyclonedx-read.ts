import type { ExtractorStatus, OperatingSystem } from "@bulwark/model";
import { list, record, text } from "../formats/data.ts";
import type { ListedDocument } from "./document.ts";
import { listIn, partsProperty } from "./properties.ts";

const nestingLimit = 64;

export function isCycloneDx(document: Record<string, unknown>): boolean {
  return document["bomFormat"] === "CycloneDX";
}

/** CycloneDX as JSON, https://cyclonedx.org/docs/1.6/json/ */
export function listCycloneDx(document: Record<string, unknown>): ListedDocument {
  const metadata = record(document["metadata"]);
  const subject = record(metadata["component"]);
  const listed: ListedDocument = {
    name: text(subject["name"]) ?? "CycloneDX",
    digest: text(propertiesOf(subject).get("bulwark:digest")) ?? null,
    os: null,
    packages: [],
    parts: listIn(propertiesOf(metadata).get(partsProperty)),
  };
  const open = list(document["components"]).map((value) => ({ component: record(value), depth: 0 }));
  const tooDeep: string[] = [];
  for (const { component, depth } of open) {
    // What is in a component stands behind all that is beside it; a list that grows while it is walked is walked whole.
    const inside = list(component["components"]);
    if (depth === nestingLimit && inside.length > 0) tooDeep.push(text(component["name"]) ?? "");
    else for (const inner of inside) open.push({ component: record(inner), depth: depth + 1 });
    if (component["type"] === "operating-system") {
      listed.os ??= systemOf(component);
      continue;
    }
    const group = text(component["group"]);
    const name = text(component["name"]) ?? "";
    listed.packages.push({
      reference: text(component["bom-ref"]) ?? name,
      name: group === undefined ? name : `${group}/${name}`,
      version: text(component["version"]),
      purl: text(component["purl"]),
      licences: licencesOf(component),
      properties: propertiesOf(component),
    });
  }
  if (tooDeep.length > 0) listed.parts.unshift(unread(tooDeep));
  return listed;
}

/** What lies deeper than anybody nests components is not looked at, and that is said. */
function unread(names: string[]): ExtractorStatus {
  const message = `components within components, more than ${nestingLimit} deep, are not looked at`;
  const errors = names.slice(0, 1000).map((name) => ({ path: name.slice(0, 4096), message }));
  return { extractor: "cyclonedx", state: "partial", errors };
}

function systemOf(component: Record<string, unknown>): OperatingSystem | null {
  const id = text(component["name"])?.toLowerCase();
  const version = text(component["version"]) ?? "";
  if (id === undefined) return null;
  const name =
    propertiesOf(component).get("bulwark:pretty-name") ?? text(component["description"]) ?? `${id} ${version}`;
  return { id: id.slice(0, 64), version: version.slice(0, 64), name: name.slice(0, 256) };
}

function licencesOf(component: Record<string, unknown>): string[] {
  return list(component["licenses"])
    .map(record)
    .map((choice) => {
      const licence = record(choice["license"]);
      return text(choice["expression"]) ?? text(licence["id"]) ?? text(licence["name"]);
    })
    .filter((licence) => licence !== undefined);
}

function propertiesOf(component: Record<string, unknown>): Map<string, string> {
  const found = new Map<string, string>();
  for (const property of list(component["properties"]).map(record)) {
    const name = text(property["name"]);
    if (name !== undefined && typeof property["value"] === "string") found.set(name, property["value"]);
  }
  return found;
}
