import { BulwarkError } from "@bulwark/model";

/** `invalid`: a policy or binding that is none; the message names it, the field and, for an expression, the place. */
export class AdmissionError extends BulwarkError<"invalid" | "unreadable"> {}
