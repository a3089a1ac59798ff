import { BulwarkError } from "@bulwark/model";

/** `invalid`: an ImagePolicy that is none; the message names it, the field and, for an expression, the place. */
export class ImagePolicyError extends BulwarkError<"invalid"> {}
