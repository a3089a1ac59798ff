import { BulwarkError } from "@bulwark/model";

/**
 * `invalid`: an ImagePolicy that is none; the message names it, the field and, for an expression, the place.
 * `unreadable`: a file that has none. `unknown`: what a policy asks about an image cannot be known here.
 */
export class ImagePolicyError extends BulwarkError<"invalid" | "unreadable" | "unknown"> {}
