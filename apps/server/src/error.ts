import { BulwarkError } from "@bulwark/model";

/**
 * - `port-busy`: another program listens there
 * - `address`: this machine has no such address
 * - `key`: the private key of the agents' authority cannot be opened
 * - `certificate`: the files of `server.tls` cannot be used
 * - `not-permitted`: the system does not let this user listen there
 */
export class ServerError extends BulwarkError<"port-busy" | "address" | "key" | "certificate" | "not-permitted"> {}
