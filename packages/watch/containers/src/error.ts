import { BulwarkError } from "@bulwark/model";

/**
 * - `absent`: the runtime is not on this machine
 * - `denied`: this user may not ask it
 * - `failed`: it does not answer, or not as it should
 */
export class RuntimeError extends BulwarkError<"absent" | "denied" | "failed"> {}
