import { BulwarkError } from "@bulwark/model";

/**
 * - `port-busy`: another program listens there
 * - `address`: this machine has no such address
 * - `not-permitted`: the system does not let this user listen there
 */
export class ServerError extends BulwarkError<"port-busy" | "address" | "not-permitted"> {}
