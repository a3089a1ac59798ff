import { BulwarkError } from "@bulwark/model/plain";

/**
 * - `no-database`: there is none at that place
 * - `broken-database`: it is none, or of another version of Bulwark
 * - `nothing-read`: not one feed could be read; the database in use stays
 */
export class AdvisoryError extends BulwarkError<"no-database" | "broken-database" | "nothing-read"> {}
