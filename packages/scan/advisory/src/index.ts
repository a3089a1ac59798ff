export {
  databaseStatus,
  openDatabase,
  type AdvisoryDatabase,
  type DatabaseStatus,
  type FeedStatus,
} from "./database.ts";
export * from "./error.ts";
export * from "./match.ts";
export * from "./update.ts";
export { versionsConformance } from "./versions/conformance.ts";
export * from "./versions/index.ts";
