import { BulwarkError } from "@bulwark/model";

/** `unknown`: there is no such pod or node; `invalid`: not the name of a subject. */
export class RbacError extends BulwarkError<"unknown" | "invalid"> {}
