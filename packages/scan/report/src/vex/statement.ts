import type { ReportedVulnerability, Report } from "@bulwark/model";

/** What somebody who knows a product says of a weakness in it: the common ground of OpenVEX, CSAF and CycloneDX. */
export interface Statement {
  /** Names of the weakness. */
  names: string[];
  /** What it is said of; empty for everything that the document is laid beside. */
  products: Product[];
  status: "not-affected" | "affected" | "fixed" | "under-investigation";
  reason: string;
  /** Milliseconds since the epoch; what is said later counts. */
  time: number;
}

/** Package URL or another name of a product; with `parts`, it is only said of these inside of it. */
export interface Product {
  id: string;
  parts: string[];
}

/** Is a statement about this weakness of this report? */
export function speaksOf({ names, products }: Statement, item: ReportedVulnerability, report: Report): boolean {
  if (!names.some((name) => name === item.id || item.aliases.includes(name))) return false;
  if (products.length === 0) return true;
  return products.some(({ id, parts }) => {
    if (parts.length === 0) return samePackage(id, item.purl) || isTarget(id, report);
    return (isTarget(id, report) || samePackage(id, item.purl)) && parts.some((part) => samePackage(part, item.purl));
  });
}

/** A package URL without a version means every version; qualifiers that it has must be those of the package. */
function samePackage(said: string, purl: string): boolean {
  const [wanted, has] = [split(said), split(purl)];
  if (wanted === undefined || has === undefined || wanted.path !== has.path) return false;
  if (wanted.version !== "" && wanted.version !== has.version) return false;
  return [...wanted.qualifiers].every(([key, value]) => has.qualifiers.get(key) === value);
}

/** The image, by digest where it has one, else by name; of a product that is no package URL the name is all there is. */
function isTarget(id: string, { target }: Report): boolean {
  if (id === target.name || id === target.digest) return true;
  const product = split(id);
  if (!product || !/^(oci|docker)\//.test(product.path)) return false;
  if (product.version.startsWith("sha256:")) return product.version === target.digest;
  const name = product.path.slice(product.path.lastIndexOf("/") + 1);
  const [, last = "", tag = ""] = /([^/:@]+)(?::([^/@]+))?(?:@.*)?$/.exec(target.name) ?? [];
  return name === last.toLowerCase() && (product.version === "" || product.version === tag);
}

interface Purl {
  /** Type, namespace and name. */
  path: string;
  version: string;
  qualifiers: Map<string, string>;
}

/** As far as two of them have to be compared. https://github.com/package-url/purl-spec */
function split(text: string): Purl | undefined {
  const [front = "", query = ""] = text.replace(/#.*$/s, "").split("?", 2);
  if (!front.startsWith("pkg:")) return undefined;
  const at = front.lastIndexOf("@");
  const path = at > front.lastIndexOf("/") ? front.slice(0, at) : front;
  const version = at > front.lastIndexOf("/") ? front.slice(at + 1) : "";
  return { path: decode(path.slice("pkg:".length)), version: decode(version), qualifiers: new Map(pairs(query)) };
}

function pairs(query: string): [string, string][] {
  return query
    .split("&")
    .filter((pair) => pair.includes("="))
    .map((pair) => [pair.slice(0, pair.indexOf("=")), decode(pair.slice(pair.indexOf("=") + 1))]);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
