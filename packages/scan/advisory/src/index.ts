export {
  databaseStatus,
  openDatabase,
  type AdvisoryDatabase,
  type DatabaseStatus,
  type FeedStatus,
} from "./database.ts";
export * from "./error.ts";
export { match, unmatched } from "./match.ts";
export { versionSchemeOf } from "./packages.ts";
export * from "./update.ts";
export { versionsConformance } from "./versions/conformance.ts";
export * from "./versions/index.ts";
