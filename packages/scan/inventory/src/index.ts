export { inventoryAnalyzer } from "./analyzer.ts";
export * from "./catalog.ts";
export { endOfLifeOf, type EndOfLife } from "./end-of-life.ts";
export { osFiles } from "./os-release.ts";
export { purl } from "./purl.ts";
