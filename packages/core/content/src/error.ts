import { BulwarkError } from "@bulwark/model/plain";

/** `unreadable`: a file or folder of content; `invalid`: what is written in one. The message has file and line. */
export class ContentError extends BulwarkError<"invalid" | "unreadable"> {}
