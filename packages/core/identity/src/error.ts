import { BulwarkError } from "@bulwark/model";

/**
 * - `bad-request`: what asks for a certificate is no sound request
 * - `bad-token`: this text is no join token
 * - `sealed`: what is encrypted cannot be opened with this secret, or without one
 */
export class IdentityError extends BulwarkError<"bad-request" | "bad-token" | "sealed"> {}
