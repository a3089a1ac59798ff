export { createForeign, type Foreign, type ForeignOptions, type ForeignSummary } from "./foreign.ts";
