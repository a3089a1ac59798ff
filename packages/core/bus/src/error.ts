import { BulwarkError } from "@bulwark/model";

/**
 * - `unavailable`: NATS does not answer
 * - `full`: so much work waits that no more is taken; what was published before is kept
 */
export class BusError extends BulwarkError<"unavailable" | "full"> {}
