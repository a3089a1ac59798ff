/**
 * What of the model is neither type nor schema: `@bulwark/model/plain`. A command that begins and ends within a moment
 * imports this, since schemas take longer to load than it has; types come from the main face, and cost nothing.
 */
export * from "./capability.ts";
export * from "./error.ts";
export { linesOf, longestLine } from "./lines.ts";
export { packageTypes } from "./package-types.ts";
export * from "./printable.ts";
export { reportVersion } from "./report-version.ts";
export { severities, severityRank } from "./severities.ts";
