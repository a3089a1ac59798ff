import { BulwarkError } from "@bulwark/model";

/** `bad-trust`: a key, an identity or a trust root that cannot be used; the message names the authority and why. */
export class SignatureError extends BulwarkError<"bad-trust"> {}
