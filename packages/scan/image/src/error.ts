import { BulwarkError } from "@bulwark/model/plain";

/**
 * - `not-found`: there is nothing at that place
 * - `not-an-image`: what is there is no image or file tree that we know
 * - `broken`: it is cut off, contradicts itself, or its digest is wrong
 * - `too-large`: it is beyond a limit
 * - `denied`: this user may not read it
 * - `unreachable`: a registry or a daemon cannot be reached, or does not answer as it should
 */
export class ImageError extends BulwarkError<
  "not-found" | "not-an-image" | "broken" | "too-large" | "denied" | "unreachable"
> {}
