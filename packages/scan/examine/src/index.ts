export { runApart, serveApart, type ApartOptions } from "./apart.ts";
export { LayerCache } from "./cache.ts";
export { codeVersion, stampOf } from "./code-version.ts";
export type { ExamineOptions, Progress } from "./examine.ts";
export { lookInto, type LookOptions, type Seen } from "./look.ts";
export type { AnalyzerName } from "./scan.ts";
