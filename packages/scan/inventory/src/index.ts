export { inventoryAnalyzer } from "./analyzer.ts";
export * from "./catalog.ts";
export { endOfLifeOf, type EndOfLife } from "./end-of-life.ts";
export { osFiles } from "./os-release.ts";
export { purlConformance } from "./purl/conformance.ts";
export { formatPurl, parsePurl, PurlError, type PackageUrl } from "./purl/purl.ts";
export * from "./sbom/index.ts";
