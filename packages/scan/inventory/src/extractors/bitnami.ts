import { packageTypes } from "@bulwark/model/plain";
import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { list, parseJson, record, text } from "../formats/data.ts";
import { nameInPurl } from "../purl-of.ts";
import { parsePurl, PurlError } from "../purl/purl.ts";

/** What Bitnami lays beside each component that it builds: SPDX 2 with package URLs. https://github.com/bitnami/vulndb */
export const bitnami: Extractor = {
  name: "bitnami",
  kind: "installed",
  limit: 16 * megabyte,
  files: { endings: [".spdx"], path: /^\/opt\/bitnami\/(?:.*\/)?\.spdx-[^/]+\.spdx$/ },
  extract(content): Found {
    const packages: FoundPackage[] = [];
    const errors: string[] = [];
    for (const entry of list(record(parseJson(content))["packages"]).map(record)) {
      const licence = text(entry["licenseConcluded"]) ?? text(entry["licenseDeclared"]);
      for (const reference of list(entry["externalRefs"]).map(record)) {
        const locator = text(reference["referenceLocator"]);
        if (reference["referenceType"] !== "purl" || locator === undefined) continue;
        const found = fromPurl(locator, licence === undefined ? [] : [licence]);
        if (typeof found === "string") errors.push(found);
        else if (found) packages.push(found);
      }
    }
    return { packages, errors };
  },
};

function fromPurl(locator: string, licences: string[]): FoundPackage | string | undefined {
  try {
    const purl = parsePurl(locator);
    const type = packageTypes.find((known) => known === purl.type);
    // Sources on GitHub and the like are told beside the package that was built from them.
    if (type === undefined || purl.version === null) return undefined;
    return {
      type,
      name: nameInPurl(purl),
      version: purl.version,
      architecture: purl.qualifiers["arch"] ?? "",
      licences,
    };
  } catch (error) {
    if (error instanceof PurlError) return error.message;
    throw error;
  }
}
