export * from "./error.ts";
export { applyExceptions, exceptionsFile } from "./exceptions.ts";
export { formatOf, formats } from "./formats/index.ts";
export { failing, parseGate } from "./gate.ts";
export { newReport } from "./new-report.ts";
export { isPartial } from "./partial.ts";
export { problemsOf, type Problem } from "./problems.ts";
export { like } from "./wildcard.ts";
