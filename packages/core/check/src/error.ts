import { BulwarkError } from "@bulwark/model";

/** `unreadable`: a file or folder of checks; `invalid`: what one of them says. The message has file and line. */
export class CheckError extends BulwarkError<"invalid" | "unreadable"> {}
