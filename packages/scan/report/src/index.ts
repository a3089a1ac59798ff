export * from "./error.ts";
export { applyExceptions, exceptionsFile, type Exceptions } from "./exceptions.ts";
export { formatOf, formats } from "./formats/index.ts";
export { failing, parseGate } from "./gate.ts";
export type { Matched } from "./matched.ts";
export { newReport } from "./new-report.ts";
export { isPartial } from "./partial.ts";
export { problemsOf, type Problem } from "./problems.ts";
export { like } from "./wildcard.ts";
