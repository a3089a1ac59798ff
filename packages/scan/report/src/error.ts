import { BulwarkError } from "@bulwark/model/plain";

/**
 * - `bad-gate`: a condition that there is none
 * - `bad-exceptions`: the file of exceptions is not what it should be
 * - `bad-report`: a file is no report of Bulwark, or of another version
 * - `bad-vex`: a file is none of the forms of VEX that are read
 * - `no-format`: no output of that name
 */
export class ReportError extends BulwarkError<"bad-gate" | "bad-exceptions" | "bad-report" | "bad-vex" | "no-format"> {}
