export * from "./error.ts";
export * from "./lookup.ts";
export { versionSchemeOf } from "./packages.ts";
export * from "./update.ts";
export { versionsConformance } from "./versions/conformance.ts";
export * from "./versions/index.ts";
