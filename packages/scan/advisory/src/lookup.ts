/** `@bulwark/advisory/lookup`: asking a database, without what builds one. */
export {
  databaseStatus,
  openDatabase,
  type AdvisoryDatabase,
  type DatabaseStatus,
  type FeedStatus,
} from "./database.ts";
export { match, unmatched } from "./match.ts";
