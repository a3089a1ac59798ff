import { BulwarkError } from "@bulwark/model";

/**
 * - `in-use`: another process has the data file open for writing
 * - `newer`: the database was written by a newer Bulwark
 * - `full`: the disk cannot take it; nothing was written
 * - `bad-cursor`: a page was asked for with a cursor that no page gave
 * - `foreign`: a node speaks of a container that another node has; nothing was written
 * - `not-empty`: a store is to be copied into a database that holds something
 * - `mismatch`: what was copied is not what was there
 * - `unavailable`: the database does not answer, cannot be opened or cannot be read
 */
export class StoreError extends BulwarkError<
  "in-use" | "newer" | "full" | "bad-cursor" | "foreign" | "not-empty" | "mismatch" | "unavailable"
> {}
