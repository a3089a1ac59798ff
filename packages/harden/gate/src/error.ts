import { BulwarkError } from "@bulwark/model";

/** `invalid`: what should be an AdmissionReview is none; the message names the field. */
export class GateError extends BulwarkError<"invalid"> {}
