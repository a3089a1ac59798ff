import { BulwarkError } from "@bulwark/model/plain";

/**
 * - `build`: the program could not be built.
 * - `unavailable`: it did not start; the message is the program's own.
 * - `protocol`: what came was not what version 1 of the frames allows.
 * - `stopped`: it ended while it was wanted.
 * - `policy`: what was to be enforced is not: it cannot be said, or the kernel or the sensor refuses it.
 */
export class SensorError extends BulwarkError<"build" | "unavailable" | "protocol" | "stopped" | "policy"> {}
