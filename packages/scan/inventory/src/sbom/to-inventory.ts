import {
  extractorStatus,
  installedPackage,
  packageType,
  plainPackage,
  type ExtractorStatus,
  type InstalledPackage,
  type OperatingSystem,
} from "@bulwark/model";
import { licencesOf } from "../licences.ts";
import { systemNamed } from "../os-release.ts";
import { nameInPurl } from "../purl-of.ts";
import { parsePurl, PurlError, type PackageUrl } from "../purl/purl.ts";
import type { ListedDocument, Listed, Sbom } from "./document.ts";
import { fromProperties } from "./properties.ts";

const packagesLimit = 100_000;
const errorsKept = 1000;

/** Makes an inventory of what a document lists. What cannot be told is in the status of the extractor `sbom`. */
export function toSbom({ name, digest, os, packages, parts }: ListedDocument): Sbom {
  const status: ExtractorStatus = { extractor: "sbom", state: "done", errors: [] };
  const fault = (reference: string, message: string): void => {
    status.state = "partial";
    if (status.errors.length < errorsKept)
      status.errors.push({ path: reference.slice(0, 4096), message: message.slice(0, 1024) });
  };
  const found: InstalledPackage[] = [];
  let system = os;
  for (const listed of packages) {
    if (found.length === packagesLimit) {
      fault(listed.reference, `more than ${packagesLimit} packages; the first are kept`);
      break;
    }
    const item = toPackage(listed);
    if (typeof item === "string") fault(listed.reference, item);
    else if (item) {
      found.push(item);
      system ??= systemOf(item.purl);
    }
  }
  if (found.length === 0 && status.errors.length > 0) status.state = "failed";
  const earlier = parts.slice(0, 99).flatMap((part) => extractorStatus.safeParse(part).data ?? []);
  return {
    name: name.slice(0, 4096),
    digest: digest?.slice(0, 128) ?? null,
    inventory: { os: system && systemNamed(system), packages: found, extractors: [status, ...earlier] },
  };
}

/** A text says why it is none that we know; undefined is for what is no package. */
function toPackage(listed: Listed): InstalledPackage | string | undefined {
  const own = fromProperties(listed.properties, listed.purl, listed.licences);
  const candidate = own ?? foreign(listed);
  if (candidate === undefined || typeof candidate === "string") return candidate;
  const checked = installedPackage.safeParse(candidate);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  return `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a package"}`;
}

/** From the package URL, with what Syft and Trivy write beside it. */
function foreign(listed: Listed): InstalledPackage | string | undefined {
  // Files, frameworks and the like are listed without one.
  if (listed.purl === undefined) return undefined;
  const purl = tryParse(listed.purl);
  if (typeof purl === "string") return purl;
  const type = packageType.safeParse(purl.type === "generic" ? "binary" : purl.type);
  if (!type.success) return `packages of type ${purl.type} are not known`;
  const written = purl.version ?? listed.version;
  if (written === undefined || written === "") return "no version";
  const epoch = purl.type === "rpm" ? purl.qualifiers["epoch"] : undefined;
  const version = epoch !== undefined && epoch !== "0" && !/^\d+:/.test(written) ? `${epoch}:${written}` : written;
  const name = nameInPurl(purl);
  return {
    ...plainPackage,
    type: type.data,
    // The URL has it in normal form, the document as it is written.
    name: purl.type === "pypi" && listed.name !== "" ? listed.name : name,
    version,
    architecture: purl.qualifiers["arch"] ?? "",
    source: sourceOf(purl, listed.properties, epoch) ?? { name, version },
    module: moduleOf(purl, listed.properties),
    purl: listed.purl,
    licences: licencesOf(listed.licences),
    location: locationOf(listed.properties),
    layer:
      listed.properties.get("aquasecurity:trivy:LayerDiffID") ??
      listed.properties.get("syft:location:0:layerID") ??
      null,
  };
}

function tryParse(text: string): PackageUrl | string {
  try {
    return parsePurl(text);
  } catch (error) {
    if (error instanceof PurlError) return error.message;
    throw error;
  }
}

type Source = InstalledPackage["source"];

/** `upstream=glibc`, `upstream=gcc-12@12.2.0-14`, `upstream=glibc-2.34-60.el9.src.rpm`; Trivy has it in properties. */
function sourceOf(
  purl: PackageUrl,
  properties: ReadonlyMap<string, string>,
  epoch: string | undefined,
): Source | undefined {
  const trivy = (name: string): string => properties.get(`aquasecurity:trivy:Src${name}`) ?? "";
  if (trivy("Name") !== "") {
    const release = trivy("Release") === "" ? "" : `-${trivy("Release")}`;
    const before = trivy("Epoch") === "" || trivy("Epoch") === "0" ? "" : `${trivy("Epoch")}:`;
    return { name: trivy("Name"), version: `${before}${trivy("Version")}${release}` };
  }
  const upstream = purl.qualifiers["upstream"];
  if (upstream === undefined) return undefined;
  if (purl.type === "rpm") {
    const [, name, version] = /^(.+)-([^-]+-[^-]+?)(?:\.(?:no)?src)?(?:\.rpm)?$/.exec(upstream) ?? [];
    const before = epoch === undefined || epoch === "0" ? "" : `${epoch}:`;
    return name === undefined || version === undefined ? undefined : { name, version: `${before}${version}` };
  }
  const at = upstream.lastIndexOf("@");
  if (at > 0) return { name: upstream.slice(0, at), version: upstream.slice(at + 1) };
  return { name: upstream, version: purl.version ?? "" };
}

function moduleOf({ qualifiers }: PackageUrl, properties: ReadonlyMap<string, string>): string | null {
  const label =
    qualifiers["rpmmod"] ??
    properties.get("aquasecurity:trivy:Modularitylabel") ??
    properties.get("syft:metadata:modularityLabel");
  return label === undefined || label === "" ? null : label.split(":", 2).join(":");
}

function locationOf(properties: ReadonlyMap<string, string>): string {
  return properties.get("syft:location:0:path") ?? properties.get("aquasecurity:trivy:FilePath") ?? "";
}

/** `distro=debian-12`: what a document without an operating system of its own says of it. */
function systemOf(text: string): OperatingSystem | null {
  const purl = tryParse(text);
  const [, id, version] =
    (typeof purl === "string" ? null : /^(.+)-(\d[^-]*|sid|edge)$/.exec(purl.qualifiers["distro"] ?? "")) ?? [];
  if (id === undefined || version === undefined) return null;
  return { id: id.slice(0, 64), version: version.slice(0, 64), name: `${id} ${version}`.slice(0, 256) };
}
